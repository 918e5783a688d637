// `londi train` on a machine whose clock is set forward and back all the time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "configs/run_config.h"
#include "launch/run_folder.h"
#include "launch/run_invariants.h"
#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::IsEmpty;

// Role -> the times in what it wrote down, in the order of writing ("2026-01-31T12:00:00.123Z").
std::map<std::string, std::vector<std::string>> TimesWrittenDown(const RunFolder& folder) {
  std::map<std::string, std::vector<std::string>> times;
  std::ifstream in(folder.metrics());
  for (std::string text; std::getline(in, text);) {
    const auto line = nlohmann::json::parse(text, nullptr, false);
    if (line.is_object()) times[line.value("role", "")].push_back(line.value("time", ""));
  }
  return times;
}

std::multiset<std::string> Events(const RunFolder& folder) {
  std::multiset<std::string> events;
  std::ifstream in(folder.events());
  for (std::string text; std::getline(in, text);) {
    const auto event = nlohmann::json::parse(text, nullptr, false);
    if (event.is_object()) events.insert(event.value("event", ""));
  }
  return events;
}

TEST(Clock, ThatIsSetForwardAndBackAllTheTimeHurtsNoLeaseNoDeadlineAndNoRow) {
  testing::TempFolder temp;
  testing::WriteTinyRun(temp.path(), LONDI_GOLDEN_MODELS, R"(  checkpoint_every: 1s
run: {name: clock, folder: runs, heartbeat: 100ms, metrics_every: 100ms, duration: 100s, max_decisions: 400}
)");
  const std::string config = (temp / "run.yaml").string();

  const auto train = testing::RunCommand(
      "env LD_PRELOAD=" LONDI_JUMPING_CLOCK " " LONDI_BINARY " train --no-evaluation " + config,
      150);

  ASSERT_EQ(train.status, 0) << train.output;
  const RunFolder run{std::filesystem::directory_iterator(temp / "runs")->path()};
  const auto times = TimesWrittenDown(run);
  EXPECT_EQ(times.size(), 5u);
  for (const auto& [role, written] : times) {
    EXPECT_FALSE(std::ranges::is_sorted(written)) << role << " did not see its clock go back";
  }
  const auto events = Events(run);
  for (const char* harm : {"role_failed", "role_killed", "role_hung", "member_expired"}) {
    EXPECT_EQ(events.count(harm), 0u) << harm << "\n" << train.output;
  }
  const InvariantReport report = CheckInvariants(run, configs::LoadRunConfig(run.config(), {}));
  EXPECT_THAT(report.violations, IsEmpty());
  EXPECT_GE(report.rows, 400);
}

}  // namespace
}  // namespace londi::launch
