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

  void Note(const transport::RegistryEvent& event, core::TimePoint now);

  // Name -> pid.
  using Pids = std::map<std::string, std::int64_t>;
  Pids At(core::TimePoint now) const;

 private:
  struct Lost {
    std::int64_t pid = 0;
    core::TimePoint since;
  };
  const core::Duration patience_;
  std::map<std::string, Lost> lost_;  // By name.
};

// How the coordinator tells the supervisor. Throws core::IoError.
void WriteLostMembers(const std::filesystem::path& file, const LostMembers::Pids& lost);
// Nobody where there is no such file, or none that can be read.
LostMembers::Pids ReadLostMembers(const std::filesystem::path& file);

}  // namespace londi::launch
