#include "transport/codec_registry.h"

#include "transport/codec.h"
#include "transport/msgpack_io.h"

namespace londi::transport {
namespace {

constexpr std::size_t kMaxEndpoints = 64;
constexpr std::size_t kMaxCounters = 256;
constexpr std::size_t kMaxMembers = 65536;
constexpr std::uint32_t kRegistrationFields = 9;
constexpr std::int64_t kNone = -1;

std::string_view Cut(const std::string& text, std::size_t limit) {
  return std::string_view(text).substr(0, limit);
}

void WriteRegistration(MessageWriter& writer, const Registration& registration) {
  writer.Text(Cut(registration.name, kMaxNameBytes)).Int(static_cast<int>(registration.role));
  writer.Int(registration.tier ? static_cast<int>(*registration.tier) : kNone);
  writer.Text(Cut(registration.host, kMaxNameBytes)).Int(registration.pid);
  writer.Array(registration.endpoints.size());
  for (const auto& [name, endpoint] : registration.endpoints) {
    writer.Array(2).Text(Cut(name, kMaxNameBytes)).Text(Cut(endpoint, kMaxNameBytes));
  }
  writer.Int(registration.actor ? registration.actor->value : kNone).Uint(registration.nonce);
  writer.Int(registration.incarnation.value);
}

Registration ReadRegistration(const msgpack::object& object) {
  FieldReader reader(object, kRegistrationFields);
  Registration registration;
  registration.name = reader.Text(kMaxNameBytes);
  registration.role = static_cast<Role>(reader.Int(0, kNumRoles - 1));
  const std::int64_t tier = reader.Int(kNone, static_cast<int>(core::Tier::kDeepthink));
  if (tier != kNone) registration.tier = static_cast<core::Tier>(tier);
  registration.host = reader.Text(kMaxNameBytes);
  registration.pid = reader.Int(0, INT32_MAX);
  for (const msgpack::object& pair : reader.Array(kMaxEndpoints)) {
    FieldReader entry(pair, 2);
    std::string name(entry.Text(kMaxNameBytes));
    registration.endpoints[std::move(name)] = entry.Text(kMaxNameBytes);
  }
  const std::int64_t actor = reader.Int(kNone, INT32_MAX);
  if (actor != kNone) registration.actor = core::ActorId(actor);
  registration.nonce = reader.Uint();
  registration.incarnation = core::Incarnation(reader.Int(0, INT64_MAX));
  return registration;
}

}  // namespace

std::string EncodeRegister(const Session& sender, const Registration& registration) {
  MessageWriter writer(kRegistrationFields);
  WriteRegistration(writer, registration);
  return writer.Finish(MessageType::kRegister, sender);
}

Registration DecodeRegister(std::string_view body) {
  const ParsedBody parsed(body);
  return ReadRegistration(parsed.root());
}

std::string EncodeRegistered(const Session& sender, const Registered& registered) {
  MessageWriter writer(5);
  writer.Int(registered.member.value).Int(registered.actor.value).Int(registered.incarnation.value);
  writer.Int(registered.lease.count()).Uint(registered.nonce);
  return writer.Finish(MessageType::kRegistered, sender);
}

Registered DecodeRegistered(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 5);
  Registered registered;
  registered.member = MemberId(reader.Int(0, INT64_MAX));
  registered.actor = core::ActorId(reader.Int(0, INT32_MAX));
  registered.incarnation = core::Incarnation(reader.Int(0, INT64_MAX));
  registered.lease = std::chrono::milliseconds(reader.Int(1, 86'400'000));
  registered.nonce = reader.Uint();
  return registered;
}

std::string EncodeRenew(const Session& sender, const Renewal& renewal) {
  MessageWriter writer(4);
  writer.Int(renewal.member.value).Array(renewal.watched.size());
  for (const Role role : renewal.watched) writer.Int(static_cast<int>(role));
  writer.Int(renewal.members_version).Array(renewal.progress.size());
  for (const auto& [name, count] : renewal.progress)
    writer.Array(2).Text(Cut(name, kMaxNameBytes)).Int(count);
  return writer.Finish(MessageType::kRenew, sender);
}

Renewal DecodeRenew(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 4);
  Renewal renewal;
  renewal.member = MemberId(reader.Int(0, INT64_MAX));
  for (const msgpack::object& role : reader.Array(kNumRoles)) {
    if (role.type != msgpack::type::POSITIVE_INTEGER || role.via.u64 >= kNumRoles)
      ThrowBadBody("an unknown role.");
    renewal.watched.push_back(static_cast<Role>(role.via.u64));
  }
  renewal.members_version = reader.Int(0, INT64_MAX);
  for (const msgpack::object& pair : reader.Array(kMaxCounters)) {
    FieldReader entry(pair, 2);
    std::string name(entry.Text(kMaxNameBytes));
    renewal.progress[std::move(name)] = entry.Int(INT64_MIN, INT64_MAX);
  }
  return renewal;
}

std::string EncodeRenewed(const Session& sender, const Renewed& renewed) {
  MessageWriter writer(4);
  writer.Int(static_cast<int>(renewed.command))
      .Int(renewed.members_version)
      .Int(renewed.has_members ? 1 : 0);
  writer.Array(renewed.members.size());
  for (const Member& member : renewed.members) {
    writer.Array(2).Int(member.id.value).Array(kRegistrationFields);
    WriteRegistration(writer, member.registration);
  }
  return writer.Finish(MessageType::kRenewed, sender);
}

Renewed DecodeRenewed(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 4);
  Renewed renewed;
  renewed.command = static_cast<Command>(reader.Int(0, static_cast<int>(Command::kStop)));
  renewed.members_version = reader.Int(0, INT64_MAX);
  renewed.has_members = reader.Bool();
  for (const msgpack::object& object : reader.Array(kMaxMembers)) {
    FieldReader entry(object, 2);
    const MemberId id(entry.Int(0, INT64_MAX));
    renewed.members.push_back({id, ReadRegistration(object.via.array.ptr[1])});
  }
  return renewed;
}

std::string EncodeLeave(const Session& sender, MemberId member) {
  return MessageWriter(1).Int(member.value).Finish(MessageType::kLeave, sender);
}

MemberId DecodeLeave(std::string_view body) {
  const ParsedBody parsed(body);
  return MemberId(FieldReader(parsed.root(), 1).Int(0, INT64_MAX));
}

std::string EncodeRegistryRefusal(const Session& sender, const RegistryRefusal& refusal) {
  MessageWriter writer(4);
  writer.Int(static_cast<int>(refusal.kind)).Text(Cut(refusal.reason.what, kMaxTextBytes));
  writer.Text(Cut(refusal.reason.why, kMaxTextBytes)).Text(Cut(refusal.reason.fix, kMaxTextBytes));
  return writer.Finish(MessageType::kRegistryRefusal, sender);
}

RegistryRefusal DecodeRegistryRefusal(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 4);
  RegistryRefusal refusal;
  refusal.kind = static_cast<RegistryRefusal::Kind>(
      reader.Int(0, static_cast<int>(RegistryRefusal::Kind::kInvalid)));
  refusal.reason.what = reader.Text(kMaxTextBytes);
  refusal.reason.why = reader.Text(kMaxTextBytes);
  refusal.reason.fix = reader.Text(kMaxTextBytes);
  return refusal;
}

}  // namespace londi::transport
