#include "actors/envs/babyai/trace.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::actors::babyai {
namespace {

using Json = nlohmann::json;

std::vector<Json> Trace(const TraceOptions& options, TraceSummary* summary = nullptr) {
  std::stringstream out;
  const TraceSummary result = WriteTrace(options, out);
  if (summary != nullptr) *summary = result;
  std::vector<Json> lines;
  for (std::string line; std::getline(out, line);) lines.push_back(Json::parse(line));
  return lines;
}

TEST(Trace, WritesOneLinePerStateStartingWithTheReset) {
  TraceSummary summary;
  const std::vector<Json> lines =
      Trace({.environment = "babyai/GoToObj", .seed = 7, .policy = "bot"}, &summary);

  ASSERT_EQ(lines.size(), static_cast<std::size_t>(summary.num_steps) + 1);
  EXPECT_TRUE(summary.done);
  EXPECT_TRUE(lines[0]["action"].is_null());
  EXPECT_EQ(lines[0]["reward"], 0);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["step"], i);
    EXPECT_EQ(lines[i]["mission"], lines[0]["mission"]);
    EXPECT_TRUE(lines[i]["text"].is_array());
    EXPECT_EQ(lines[i]["image"].get<std::string>().size(), 7U * 7 * 3 * 2);
    EXPECT_EQ(lines[i]["terminated"], i + 1 == lines.size());
  }
  EXPECT_GT(lines.back()["reward"], 0);
}

TEST(Trace, ViewSizeChangesTheImage) {
  const std::vector<Json> lines = Trace({.environment = "babyai/GoToObj",
                                         .environment_options = {.view_size = 5},
                                         .seed = 7,
                                         .policy = "random:1"});

  EXPECT_EQ(lines[0]["image"].get<std::string>().size(), 5U * 5 * 3 * 2);
}

TEST(Trace, RandomPoliciesRepeatForTheSameSeedAndEndWithTheEpisode) {
  const TraceOptions options{.environment = "babyai/GoToLocal", .seed = 3, .policy = "random:5"};

  EXPECT_EQ(Trace(options), Trace(options));
  const std::vector<Json> lines = Trace(options);
  EXPECT_TRUE(lines.back()["terminated"].get<bool>() || lines.back()["truncated"].get<bool>());
}

TEST(Trace, ReadsActionsAsTextsOrIndices) {
  const londi::testing::TempFolder folder;
  const std::string path = (folder.path() / "actions.txt").string();
  std::ofstream(path) << "turn left\n1\n\n2\r\ntoggle\n";
  TraceSummary summary;

  const std::vector<Json> lines =
      Trace({.environment = "babyai/UnlockLocal", .seed = 3, .actions_file = path}, &summary);

  ASSERT_EQ(lines.size(), 5U);
  EXPECT_EQ(lines[1]["action"], "turn left");
  EXPECT_EQ(lines[2]["action"], "turn right");
  EXPECT_EQ(lines[3]["action"], "go forward");
  EXPECT_FALSE(summary.done);
}

TEST(Trace, BadInputSaysWhatToDo) {
  const londi::testing::TempFolder folder;
  const std::string path = (folder.path() / "actions.txt").string();
  std::ofstream(path) << "turn left\nfly\n";
  const std::string level = "babyai/GoToObj";

  EXPECT_THROW(Trace({.environment = level}), core::ConfigError);
  EXPECT_THROW(Trace({.environment = level, .actions_file = path, .policy = "bot"}),
               core::ConfigError);
  EXPECT_THROW(Trace({.environment = level, .policy = "clever"}), core::ConfigError);
  EXPECT_THROW(Trace({.environment = level, .policy = "random:x"}), core::ConfigError);
  EXPECT_THROW(Trace({.environment = level, .policy = "random:"}), core::ConfigError);
  EXPECT_THROW(Trace({.environment = level, .actions_file = path + ".not"}), core::IoError);
  try {
    Trace({.environment = level, .actions_file = path});
    FAIL() << "'fly' was accepted";
  } catch (const core::ConfigError& error) {
    EXPECT_NE(error.text().what.find("actions.txt:2"), std::string::npos);
  }
}

}  // namespace
}  // namespace londi::actors::babyai
