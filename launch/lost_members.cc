#include "launch/lost_members.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "launch/run_folder.h"

namespace londi::launch {

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

void WriteLostMembers(const std::filesystem::path& file, const LostMembers::Pids& lost) {
  WriteFileAtomically(file, nlohmann::json(lost).dump());
}

LostMembers::Pids ReadLostMembers(const std::filesystem::path& file) {
  std::ifstream in(file);
  const auto root = nlohmann::json::parse(in, nullptr, false);
  LostMembers::Pids lost;
  if (!root.is_object()) return lost;
  for (const auto& [name, pid] : root.items()) {
    if (pid.is_number_integer()) lost[name] = pid.get<std::int64_t>();
  }
  return lost;
}

}  // namespace londi::launch
