#include "launch/chaos_schedule.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/refuses.h"

namespace londi::launch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::vector<std::string> kRoles = {"coordinator", "learner", "actor.0", "inference.quick.0"};
constexpr ChaosOptions kHour{.seed = 3, .duration = seconds(3600), .every = milliseconds(2000)};

TEST(ChaosSchedule, IsTheSameForTheSameSeedAndAnotherForAnother) {
  const auto text = [](std::uint64_t seed) {
    std::string all;
    for (const ChaosAct& act :
         MakeChaosSchedule({.seed = seed, .duration = seconds(300)}, kRoles)) {
      all += std::to_string(act.at.count()) + act.role + ChaosKindName(act.kind) +
             std::to_string(act.length.count()) + " ";
    }
    return all;
  };
  EXPECT_EQ(text(1), text(1));
  EXPECT_NE(text(1), text(2));
}

TEST(ChaosSchedule, HitsEveryRoleInEveryWayThatFitsItAndNeverHangsTheCoordinator) {
  std::set<std::pair<std::string, ChaosAct::Kind>> seen;
  for (const ChaosAct& act : MakeChaosSchedule(kHour, kRoles)) seen.insert({act.role, act.kind});

  EXPECT_EQ(seen.size(), 4u * 5 - 1 + 1);
  EXPECT_TRUE(seen.contains({"learner", ChaosAct::Kind::kDiskFull}));
  EXPECT_FALSE(seen.contains({"coordinator", ChaosAct::Kind::kHang}));
}

TEST(ChaosSchedule, KeepsItsPaceAndLeavesTheEndInPeace) {
  const auto acts = MakeChaosSchedule(kHour, kRoles);

  EXPECT_NEAR(static_cast<double>(acts.size()), 3600 * 0.8 / 2, 100);
  milliseconds last{0};
  for (const ChaosAct& act : acts) {
    EXPECT_GE(act.at, last + milliseconds(1000));
    EXPECT_LT(act.at, seconds(2880));
    const bool for_good = act.kind == ChaosAct::Kind::kKill || act.kind == ChaosAct::Kind::kHang;
    EXPECT_EQ(act.length == milliseconds(0), for_good);
    EXPECT_LE(act.length, seconds(8));
    last = act.at;
  }
}

TEST(ChaosSchedule, RefusesWhatGivesRolesNoTime) {
  EXPECT_FALSE(testing::Refuses<ChaosOptions>([](ChaosOptions&) {}));
  EXPECT_TRUE(testing::Refuses<ChaosOptions>([](ChaosOptions& o) { o.duration = seconds(4); }));
  EXPECT_TRUE(testing::Refuses<ChaosOptions>([](ChaosOptions& o) { o.every = milliseconds(99); }));
}

TEST(ChaosSchedule, KnowsTheRolesOfARun) {
  configs::RunConfig config;
  config.run.num_actors = 2;
  config.deepthink.workers = 2;

  EXPECT_EQ(RolesOf(config),
            (std::vector<std::string>{"coordinator",
                                      "learner",
                                      "actor.0",
                                      "actor.1",
                                      "inference.quick.0",
                                      "inference.deepthink.0",
                                      "inference.deepthink.1"}));
  config.run.rows_from = "runs/former";
  EXPECT_EQ(RolesOf(config), (std::vector<std::string>{"coordinator", "learner"}));
}

}  // namespace
}  // namespace londi::launch
