#include "monitor/event_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::monitor {
namespace {

std::vector<nlohmann::json> ReadLines(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::vector<nlohmann::json> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

TEST(EventLog, AppendsOneJsonObjectPerEvent) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "run/events.jsonl";
  {
    EventLog log(file, "learner");
    log.Append("role_started");
    log.Append("checkpoint_written",
               {{"version", std::int64_t{12}},
                {"seconds", 0.5},
                {"path", std::string("a\"b\xff")},
                {"ok", true}});
  }
  EventLog(file, "learner").Append("role_started");

  const std::vector<nlohmann::json> lines = ReadLines(file);

  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].at("event"), "role_started");
  EXPECT_EQ(lines[0].at("source"), "learner");
  EXPECT_EQ(lines[0].at("time").get<std::string>().size(),
            std::string("2026-01-31T12:00:00.123Z").size());
  EXPECT_EQ(lines[1].at("version"), 12);
  EXPECT_EQ(lines[1].at("seconds"), 0.5);
  EXPECT_EQ(lines[1].at("ok"), true);
}

TEST(EventLog, SharedFileKeepsLinesWhole) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "events.jsonl";
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      EventLog log(file, "actor." + std::to_string(t));
      for (int i = 0; i < 200; ++i) log.Append("episode_finished", {{"episode", std::int64_t{i}}});
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(ReadLines(file).size(), 800u);
}

TEST(EventLog, SaysWhyAFileCannotBeWritten) {
  EXPECT_THROW(EventLog("/proc/events.jsonl", "learner"), core::IoError);
}

}  // namespace
}  // namespace londi::monitor
