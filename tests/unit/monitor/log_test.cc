#include "monitor/log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/error.h"
#include "tests/support/fake_clock.h"
#include "tests/support/temp_folder.h"

namespace londi::monitor {
namespace {

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

TEST(Log, WritesRoleLevelAndMessageFromTheLevelOn) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "logs/actor.3.log";
  const Logger logger = MakeLogger({.role = "actor.3", .level = "info", .file = file});

  logger->debug("not this one");
  logger->warn("actor={} episode={} retried", 3, 71);

  const std::string text = ReadAll(file);
  EXPECT_EQ(text.find("not this one"), std::string::npos);
  EXPECT_NE(text.find(" warning actor.3 | actor=3 episode=71 retried\n"), std::string::npos)
      << text;
}

TEST(Log, AppendsAfterARestart) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "learner.log";
  for (int life = 0; life < 2; ++life)
    MakeLogger({.role = "learner", .file = file})->info("started");

  const std::string text = ReadAll(file);
  EXPECT_NE(text.find("started"), text.rfind("started"));
}

TEST(Log, RefusesUnknownLevelsAndUnwritableFiles) {
  EXPECT_THROW(MakeLogger({.role = "x", .level = "loud"}), core::ConfigError);
  EXPECT_THROW(MakeLogger({.role = "x", .file = "/proc/no/such.log"}), core::IoError);
}

TEST(LogThrottle, LetsOneThroughPerIntervalAndCountsTheRest) {
  testing::FakeClock clock;
  LogThrottle throttle(std::chrono::seconds(10));

  EXPECT_EQ(throttle.Admit(clock.Now()), 0);
  EXPECT_EQ(throttle.Admit(clock.Now()), std::nullopt);
  clock.Advance(std::chrono::seconds(9));
  EXPECT_EQ(throttle.Admit(clock.Now()), std::nullopt);
  clock.Advance(std::chrono::seconds(1));
  EXPECT_EQ(throttle.Admit(clock.Now()), 2);
}

}  // namespace
}  // namespace londi::monitor
