#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/ids.h"

namespace londi::transport {

// How the members of a run find their coordinator: <run folder>/rendezvous.json, replaced by
// rename, read by polling. It only says where to connect; who is alive is decided by leases.
struct Rendezvous {
  std::string endpoint;  // The registry's ROUTER socket.
  core::RunId run;
  core::Epoch epoch;
};

// Throws core::IoError.
void WriteRendezvous(const std::filesystem::path& file, const Rendezvous& rendezvous);

// nullopt: not there, or not readable as one (a file system may show it late).
std::optional<Rendezvous> ReadRendezvous(const std::filesystem::path& file);

// Polls until it is there. Throws core::UnavailableError once `deadline` has passed.
Rendezvous WaitForRendezvous(const std::filesystem::path& file, core::TimePoint deadline);

// What the coordinator remembers across restarts.
struct CoordinatorState {
  core::RunId run;
  core::Epoch epoch;
};

// Begins a new epoch of the run kept in `file` (a new run with a random id when there is none) and
// stores it before returning. Throws core::IoError when the file cannot be read as one or not be
// written.
CoordinatorState BeginEpoch(const std::filesystem::path& file);

}  // namespace londi::transport
