#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "core/clock.h"
#include "transport/registry_state.h"

namespace londi::launch {

// Which members hang: they lost their lease and have not registered again for `patience`, as those
// do who were only slow, or whom a coordinator that was itself held up forgot. Pure, not
// thread-safe.
class LostMembers {
 public:
  explicit LostMembers(core::Duration patience) : patience_(patience) {}

  // Name -> pid.
  using Pids = std::map<std::string, std::int64_t>;

  // Members of whom only an older coordinator knew: who of them does not register within `lease`
  // has lost it.
  void Expect(const Pids& members, core::Duration lease, core::TimePoint now);
  void Note(const transport::RegistryEvent& event, core::TimePoint now);
  Pids At(core::TimePoint now) const;

 private:
  struct Lost {
    std::int64_t pid = 0;
    core::TimePoint since;
  };
  const core::Duration patience_;
  std::map<std::string, Lost> lost_;  // By name.
};

// What the coordinator tells the supervisor.
struct MemberHealth {
  LostMembers::Pids working;  // Have renewed their lease at least once; the coordinator itself.
  LostMembers::Pids lost;
  bool operator==(const MemberHealth&) const = default;
};

// Throws core::IoError.
void WriteMemberHealth(const std::filesystem::path& file, const MemberHealth& health);
// Nobody where there is no such file, or none that can be read.
MemberHealth ReadMemberHealth(const std::filesystem::path& file);

}  // namespace londi::launch
