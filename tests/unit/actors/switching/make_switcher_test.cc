#include "actors/switching/make_switcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "actors/switching/disagreement_switcher.h"
#include "actors/switching/learned_switcher.h"
#include "actors/switching/rules.h"
#include "actors/switching/schedule_rules.h"
#include "actors/switching/swift_sage_switcher.h"
#include "core/error.h"
#include "tests/support/features.h"

namespace londi::actors {
namespace {

TEST(MakeSwitcher, MakesEveryKindThereIs) {
  for (const std::string& kind : SwitcherKinds()) {
    EXPECT_NE(MakeSwitcher({.kind = kind}, 1), nullptr) << kind;
  }
  EXPECT_TRUE(MakeSwitcher({.kind = "always"}, 1)->Choose({}).activate);
  EXPECT_FALSE(MakeSwitcher({.kind = "never"}, 1)->Choose({}).activate);
  EXPECT_TRUE(MakeSwitcher({.kind = "random", .rate = 1}, 1)->Choose({}).activate);
}

TEST(MakeSwitcher, AnUnknownKindIsToldTheKnownOnes) {
  try {
    MakeSwitcher({.kind = "entropi"}, 1);
    ADD_FAILURE();
  } catch (const core::ConfigError& error) {
    EXPECT_NE(error.text().what.find("entropi"), std::string::npos);
    for (const std::string& kind : SwitcherKinds())
      EXPECT_NE(error.text().why.find(kind), std::string::npos) << kind;
  }
}

template <class Wanted>
bool Makes(const std::string& kind) {
  return dynamic_cast<Wanted*>(MakeSwitcher({.kind = kind}, 1).get()) != nullptr;
}

TEST(MakeSwitcher, ANameMakesTheRuleThatItSays) {
  EXPECT_TRUE(Makes<LearnedSwitcher>("mlp"));
  EXPECT_TRUE(Makes<AlwaysSwitcher>("always"));
  EXPECT_TRUE(Makes<NeverSwitcher>("never"));
  EXPECT_TRUE(Makes<RandomSwitcher>("random"));
  EXPECT_TRUE(Makes<RandomBlockSwitcher>("random-block"));
  EXPECT_TRUE(Makes<EveryKSwitcher>("every-k"));
  EXPECT_TRUE(Makes<FirstSwitcher>("first"));
  EXPECT_TRUE(Makes<LastSwitcher>("last"));
  EXPECT_TRUE(Makes<SwiftSageSwitcher>("swift-sage"));
  EXPECT_TRUE(Makes<DisagreementSwitcher>("disagreement"));
}

TEST(MakeSwitcher, EveryThresholdRuleReadsItsOwnMeasure) {
  const auto features = testing::FeaturesWith(
      {{Scalar::kEntropy, 0.5f}, {Scalar::kMargin, 0.75f}, {Scalar::kBestLogProb, -2.0f}});
  const auto activates = [&](const std::string& kind, double threshold) {
    return MakeSwitcher({.kind = kind, .threshold = threshold}, 1)
        ->Choose({.features = features})
        .activate;
  };

  const std::pair<const char*, double> measures[] = {
      {"entropy", 0.5}, {"margin", 0.25}, {"sequence-prob", 2}};
  for (const auto& [kind, measure] : measures) {
    EXPECT_TRUE(activates(kind, measure - 0.01)) << kind;
    EXPECT_FALSE(activates(kind, measure + 0.01)) << kind;
  }
}

TEST(BaselineKinds, AreAllButTheLearnedAndTheBounds) {
  std::vector<std::string> kinds = BaselineKinds();
  EXPECT_EQ(kinds.size() + 3, SwitcherKinds().size());
  for (const char* other : {"mlp", "always", "never"})
    EXPECT_EQ(std::ranges::count(kinds, other), 0) << other;
}

TEST(FindKnob, TurnsWhatTheKindReads) {
  for (const std::string& kind : BaselineKinds()) {
    const Knob* knob = FindKnob(kind);
    if (knob == nullptr) continue;
    for (const double value : {knob->rarely, knob->often}) {
      SwitcherOptions options{.kind = kind};
      options.*knob->value = value;
      EXPECT_NO_THROW(options.Validate()) << kind;
    }
  }
  EXPECT_EQ(FindKnob("swift-sage"), nullptr);
  EXPECT_EQ(FindKnob("entropy")->name, "threshold");
  EXPECT_EQ(FindKnob("first")->value, &SwitcherOptions::steps);
  EXPECT_THROW(FindKnob("entropi"), core::ConfigError);
}

TEST(SwitcherOptions, RefuseWhatIsNoRateThresholdOrNumberOfSteps) {
  EXPECT_THROW((SwitcherOptions{.rate = 1.5}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.rate = std::nan("")}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.threshold = -1}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.threshold = std::nan("")}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.steps = -1}.Validate()), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors
