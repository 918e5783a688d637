#include "launch/chaos_schedule.h"

#include <fmt/format.h>

#include <random>

#include "core/error.h"
#include "core/language_model.h"

namespace londi::launch {
namespace {

// [low, high]; the standard's distributions differ between libraries.
std::int64_t Draw(std::mt19937_64& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1));
}

ChaosAct::Kind DrawKind(std::mt19937_64& random, const std::string& role) {
  const std::int64_t die = Draw(random, 0, 13);
  if (die < 5) return ChaosAct::Kind::kKill;
  if (die < 7) return ChaosAct::Kind::kPause;
  if (die < 9) return role == "coordinator" ? ChaosAct::Kind::kPause : ChaosAct::Kind::kHang;
  if (die < 11) return ChaosAct::Kind::kPartition;
  if (die < 12) return ChaosAct::Kind::kDelay;
  return role == "learner" ? ChaosAct::Kind::kDiskFull : ChaosAct::Kind::kDelay;
}

// The longest act of a kind.
std::int64_t MostMilliseconds(ChaosAct::Kind kind) {
  switch (kind) {
    case ChaosAct::Kind::kKill:
    case ChaosAct::Kind::kHang:
      return 0;
    case ChaosAct::Kind::kPause:
      return 3000;
    default:
      return 8000;
  }
}

}  // namespace

const char* ChaosKindName(ChaosAct::Kind kind) {
  switch (kind) {
    case ChaosAct::Kind::kKill:
      return "kill";
    case ChaosAct::Kind::kPause:
      return "pause";
    case ChaosAct::Kind::kHang:
      return "hang";
    case ChaosAct::Kind::kPartition:
      return "partition";
    case ChaosAct::Kind::kDelay:
      return "delay";
    case ChaosAct::Kind::kDiskFull:
      return "disk_full";
  }
  return "?";
}

void ChaosOptions::Validate() const {
  if (duration >= std::chrono::seconds(5) && every >= std::chrono::milliseconds(100)) return;
  throw core::ConfigError({.what = "the attack is shorter than 5 s, or acts come within 100 ms",
                           .why = "roles need time to start before they can be hurt",
                           .fix = "for example --minutes 5 --every 5"});
}

std::vector<std::string> RolesOf(const configs::RunConfig& config) {
  std::vector<std::string> roles = {"coordinator", "learner"};
  if (!config.run.rows_from.empty()) return roles;
  for (int i = 0; i < config.run.num_actors; ++i) roles.push_back(fmt::format("actor.{}", i));
  for (const core::Tier tier : {core::Tier::kQuick, core::Tier::kDeepthink}) {
    const configs::LmChoice& lm = tier == core::Tier::kQuick ? config.quick : config.deepthink;
    for (int i = 0; i < lm.workers; ++i) {
      roles.push_back(fmt::format("inference.{}.{}", core::TierName(tier), i));
    }
  }
  return roles;
}

std::vector<ChaosAct> MakeChaosSchedule(const ChaosOptions& options,
                                        const std::vector<std::string>& roles) {
  options.Validate();
  std::mt19937_64 random(options.seed);
  const std::int64_t every = options.every.count();
  const std::int64_t end = options.peace().count();
  std::vector<ChaosAct> acts;
  for (std::int64_t at = Draw(random, every / 2, every * 3 / 2); at < end;
       at += Draw(random, every / 2, every * 3 / 2)) {
    ChaosAct act{.at = std::chrono::milliseconds(at)};
    act.role = roles[static_cast<std::size_t>(Draw(random, 0, std::ssize(roles) - 1))];
    act.kind = DrawKind(random, act.role);
    if (const std::int64_t most = MostMilliseconds(act.kind); most > 0) {
      act.length = std::chrono::milliseconds(Draw(random, 50, most));
    }
    acts.push_back(std::move(act));
  }
  return acts;
}

}  // namespace londi::launch
