#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.h"
#include "core/language_model.h"

namespace londi::transport {

enum class Role : std::uint8_t { kInference = 0, kActor = 1, kLearner = 2 };
inline constexpr int kNumRoles = 3;
const char* RoleName(Role role);  // "inference", "actor", "learner"

// A member's seat: given by the coordinator, unique within an epoch.
using MemberId = core::StrongInt<struct MemberIdTag>;

// What a process says about itself.
struct Registration {
  std::string name;  // Its place in the run, e.g. "actor.3"; a restarted process has the same name.
  Role role = Role::kActor;
  std::optional<core::Tier> tier;  // Of inference workers.
  std::string host;
  std::int64_t pid = 0;
  std::map<std::string, std::string>
      endpoints;                       // What others connect to, e.g. {"lm", "tcp://..."}.
  std::optional<core::ActorId> actor;  // Wanted by an actor; without it one is handed out.
  std::uint64_t nonce =
      0;  // Random per life of the process: a repeated message is no second registration.
  core::Incarnation
      incarnation;  // 0 on the first time; re-registrations keep what they were given.
};

// Incarnations grow with every new process, across epochs too: (epoch << 32) + 1, + 2, ...
constexpr core::Incarnation FirstIncarnation(core::Epoch epoch) {
  return core::Incarnation((epoch.value << 32) + 1);
}

struct Member {
  MemberId id;
  Registration registration;  // `actor` and `incarnation` filled in.
};

// Names of endpoints in Registration::endpoints.
inline constexpr const char* kLmEndpoint = "lm";
inline constexpr const char* kTransitionsEndpoint = "transitions";
inline constexpr const char* kWeightsAnnounceEndpoint = "weights.announce";
inline constexpr const char* kWeightsPullEndpoint = "weights.pull";

// How far the work has come, e.g. {"decisions": 1200}. Carried by every renewal of a lease.
using ProgressCounters = std::map<std::string, std::int64_t>;

// What the coordinator wants a member to do. Only rises.
enum class Command : std::uint8_t {
  kNone = 0,
  kDrain = 1,  // Begin nothing new, finish and hand over what is begun, then leave.
  kStop = 2,   // End now.
};

}  // namespace londi::transport
