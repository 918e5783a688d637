#include "launch/member_health.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "launch/run_folder.h"

namespace londi::launch {

void LostMembers::Expect(const Pids& members, core::Duration lease, core::TimePoint now) {
  for (const auto& [name, pid] : members) lost_[name] = {.pid = pid, .since = now + lease};
}

void LostMembers::Note(const transport::RegistryEvent& event, core::TimePoint now) {
  const transport::Registration& who = event.member.registration;
  if (event.kind == transport::RegistryEvent::Kind::kExpired) {
    lost_[who.name] = {.pid = who.pid, .since = now};
  } else if (event.kind == transport::RegistryEvent::Kind::kJoined) {
    lost_.erase(who.name);
  }
}

LostMembers::Pids LostMembers::At(core::TimePoint now) const {
  Pids pids;
  for (const auto& [name, lost] : lost_) {
    if (now - lost.since >= patience_) pids[name] = lost.pid;
  }
  return pids;
}

void WriteMemberHealth(const std::filesystem::path& file, const MemberHealth& health) {
  WriteFileAtomically(file,
                      nlohmann::json{{"working", health.working}, {"lost", health.lost}}.dump());
}

MemberHealth ReadMemberHealth(const std::filesystem::path& file) {
  std::ifstream in(file);
  const auto root = nlohmann::json::parse(in, nullptr, false);
  const auto read = [&](const char* key) {
    LostMembers::Pids pids;
    if (!root.is_object() || !root.contains(key) || !root[key].is_object()) return pids;
    for (const auto& [name, pid] : root[key].items()) {
      if (pid.is_number_integer()) pids[name] = pid.get<std::int64_t>();
    }
    return pids;
  };
  return {.working = read("working"), .lost = read("lost")};
}

}  // namespace londi::launch
