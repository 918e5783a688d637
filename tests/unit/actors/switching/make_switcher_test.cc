#include "actors/switching/make_switcher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"

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
