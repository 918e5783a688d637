#include "actors/switching/make_switcher.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

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

TEST(SwitcherOptions, RefuseWhatIsNoRateOrEntropy) {
  EXPECT_THROW((SwitcherOptions{.rate = 1.5}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.rate = std::nan("")}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.threshold = -1}.Validate()), core::ConfigError);
  EXPECT_THROW((SwitcherOptions{.threshold = std::nan("")}.Validate()), core::ConfigError);
}

}  // namespace
}  // namespace londi::actors
