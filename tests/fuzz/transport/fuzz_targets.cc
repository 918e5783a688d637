#include "tests/fuzz/transport/fuzz_targets.h"

#include <cstring>
#include <map>
#include <set>
#include <stdexcept>

#include "core/error.h"
#include "tests/fuzz/transport/fuzz_states.h"
#include "tests/support/wire_messages.h"

namespace londi::fuzz {
namespace {

using transport::MessageType;

constexpr std::size_t kTypeOffset = 6;  // transport/frame.h.

const std::map<MessageType, testing::WireMessage>& Messages() {
  static const auto messages = [] {
    std::map<MessageType, testing::WireMessage> by_type;
    for (testing::WireMessage& each : testing::WireMessages()) by_type.emplace(each.type, each);
    return by_type;
  }();
  return messages;
}

// Which messages each kind of socket decodes; weights.publisher takes one without content only.
const std::map<std::string, std::set<MessageType>, std::less<>>& TypesTaken() {
  static const std::map<std::string, std::set<MessageType>, std::less<>> types = {
      {"lm.server", {MessageType::kLmRequest, MessageType::kLmCancel}},
      {"lm.client", {MessageType::kLmReply, MessageType::kLmRefusal}},
      {"transitions.source", {MessageType::kTransitions, MessageType::kSinkProbe}},
      {"transitions.sink", {MessageType::kSourceAck}},
      {"weights.subscriber", {MessageType::kWeightsAnnouncement, MessageType::kWeights}},
      {"registry.server", {MessageType::kRegister, MessageType::kRenew, MessageType::kLeave}},
      {"registry.client",
       {MessageType::kRegistered, MessageType::kRenewed, MessageType::kRegistryRefusal}},
  };
  return types;
}

transport::Frame DecodeFrame(std::string_view message) {
  return transport::DecodeFrame(message, testing::WireSender().run());
}

std::string WithRightHeader(std::string_view message) {
  std::string fixed(message);
  if (fixed.size() < transport::kFrameHeaderBytes) fixed.resize(transport::kFrameHeaderBytes);
  std::uint16_t type = 0;
  std::memcpy(&type, fixed.data() + kTypeOffset, sizeof type);
  transport::FinishFrame(static_cast<MessageType>(type), testing::WireSender(), fixed);
  return fixed;
}

std::string_view BodyOf(std::string_view message) {
  return message.substr(transport::kFrameHeaderBytes);
}

// What was decoded must be something that a londi process could have sent.
void RequireSendable(const testing::WireMessage& kind, std::string_view body) {
  const std::string again = kind.decode(body);
  try {
    if (kind.decode(BodyOf(again)) == again) return;
  } catch (const core::ProtocolError& error) {
    throw std::logic_error(kind.name + " does not survive encoding: " + error.what());
  }
  throw std::logic_error(kind.name + " changes by encoding");
}

// What may come to each state, in an order that makes sense.
const std::map<std::string, std::vector<MessageType>, std::less<>>& States() {
  static const std::map<std::string, std::vector<MessageType>, std::less<>> states = {
      {"registry.members",
       {MessageType::kRegister, MessageType::kRenew, MessageType::kRegister, MessageType::kLeave}},
      {"transitions.rows",
       {MessageType::kSinkProbe, MessageType::kTransitions, MessageType::kSourceAck}},
  };
  return states;
}

using PartSize = std::uint16_t;

std::string AsPart(std::string_view message) {
  const auto size = static_cast<PartSize>(message.size());
  return std::string(reinterpret_cast<const char*>(&size), sizeof size) + std::string(message);
}

// The last part may be cut off. Removes it from `bytes`.
std::string_view TakePart(std::string_view& bytes) {
  PartSize size = 0;
  std::memcpy(&size, bytes.data(), sizeof size);
  const std::string_view part = bytes.substr(sizeof size, size);
  bytes.remove_prefix(sizeof size + part.size());
  return part;
}

void RunState(std::string_view state, std::string_view bytes) {
  const TakesMessages take = state == "registry.members" ? MakeMembers() : MakeRowsUnderWay();
  while (bytes.size() >= sizeof(PartSize)) {
    const std::string fixed = WithRightHeader(TakePart(bytes));
    try {
      take(DecodeFrame(fixed));
    } catch (const core::ProtocolError&) {
    }
  }
}

}  // namespace

const std::vector<Target>& Targets() {
  static const auto targets = [] {
    std::vector<Target> all = {{.name = "frame", .seeds = {}}};
    for (const auto& [name, types] : TypesTaken()) {
      Target target{.name = name, .seeds = {}};
      for (const MessageType type : types) target.seeds.push_back(Messages().at(type).message);
      all.front().seeds.push_back(target.seeds.front());
      all.push_back(std::move(target));
    }
    for (const auto& [name, types] : States()) {
      std::string parts;
      for (const MessageType type : types) parts += AsPart(Messages().at(type).message);
      all.push_back({.name = name, .seeds = {parts}});
    }
    return all;
  }();
  return targets;
}

void RunTarget(std::string_view target, std::string_view bytes) {
  if (States().contains(target)) return RunState(target, bytes);
  try {
    if (target == "frame") return static_cast<void>(DecodeFrame(bytes));
    const std::string fixed = WithRightHeader(bytes);
    const transport::Frame frame = DecodeFrame(fixed);
    const auto taken = TypesTaken().find(target);
    if (taken == TypesTaken().end()) throw std::logic_error("no such fuzz target");
    if (!taken->second.contains(frame.header.type)) return;  // Refused by the socket.
    RequireSendable(Messages().at(frame.header.type), frame.body);
  } catch (const core::ProtocolError&) {
  }
}

}  // namespace londi::fuzz
