#include "launch/time_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launch/metrics_writer.h"
#include "monitor/metrics.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(TimeUse, AddsUpTheLivesOfARoleAndTakesTheLastLineOfEach) {
  const testing::TempFolder temp;
  testing::WriteText(
      temp / "metrics.jsonl",
      R"({"role":"actor.0","pid":1,"cpu_seconds":1,"metrics":{"londi_actor_decisions_total{actor=\"0\"}":10}}
{"role":"actor.0","pid":1,"cpu_seconds":2,"metrics":{"londi_actor_decisions_total{actor=\"0\"}":30}}
{"role":"actor.0","pid":2,"cpu_seconds":0.5,"metrics":{"londi_actor_decisions_total{actor=\"0\"}":10,"londi_actor_budget_violations_total{actor=\"0\"}":1}}
{"role":"actor.10","pid":3,"cpu_seconds":0.5,"metrics":{"londi_actor_decisions_total{actor=\"10\"}":60}}
{"role":"actor.0","pid":2,"cpu_sec)");

  const TimeUse use = ReadTimeUse(temp / "metrics.jsonl");

  EXPECT_EQ(use.decisions, 100);
  EXPECT_EQ(use.violations, 1);
  EXPECT_EQ(use.cpu_seconds.at("actor"), 3);
}

TEST(TimeUse, ReadsWhatTheMetricsWriterWrites) {
  const testing::TempFolder temp;
  monitor::Metrics metrics;
  metrics.GetCounter("londi_actor_decisions_total", "", {{"actor", "0"}}).Increment(4);
  metrics.GetCounter("londi_actor_deepthink_labels_total", "", {{"actor", "0"}}).Increment(1);
  metrics.GetCounter("londi_actor_seconds_total", "", {{"actor", "0"}, {"part", "quick"}})
      .Increment(0.5);
  for (const char* difficulty : {"easy", "lost"}) {
    metrics
        .GetCounter(
            "londi_actor_boundary_tasks_total", "", {{"actor", "0"}, {"difficulty", difficulty}})
        .Increment(difficulty[0] == 'e' ? 7 : 2);
  }
  const monitor::Labels quick{{"tier", "quick"}};
  metrics
      .GetCounter(
          "londi_inference_requests_total", "", {{"outcome", "answered"}, {"tier", "quick"}})
      .Increment(6);
  metrics
      .GetCounter("londi_inference_requests_total", "", {{"outcome", "refused"}, {"tier", "quick"}})
      .Increment(9);
  const auto bounds = monitor::ExponentialBounds(1, 2);
  metrics.GetHistogram("londi_inference_batch_requests", "", bounds, quick).Observe(2);
  metrics.GetHistogram("londi_inference_batch_requests", "", bounds, quick).Observe(4);
  metrics.GetHistogram("londi_inference_compute_milliseconds", "", bounds, quick).Observe(8);
  { MetricsWriter writer(temp / "metrics.jsonl", "all", metrics, std::chrono::hours(1)); }

  const TimeUse use = ReadTimeUse(temp / "metrics.jsonl");

  EXPECT_EQ(use.decisions, 4);
  EXPECT_EQ(use.actor_seconds.at("quick"), 0.5);
  EXPECT_EQ(use.tiers.at("quick").requests, 6);
  EXPECT_EQ(use.tiers.at("quick").batches, 2);
  EXPECT_EQ(use.tiers.at("quick").compute_ms, 8);
  EXPECT_GT(use.cpu_seconds.at("all"), 0);
  const std::string text = DescribeTimeUse(use, std::chrono::seconds(2));
  EXPECT_THAT(text, HasSubstr("2.0 decisions/s over 2 s"));
  EXPECT_THAT(text,
              HasSubstr("7 tasks were easy (QUICK alone succeeds), 0 hard (only DEEPTHINK does), "
                        "2 lost by both"));
  EXPECT_THAT(text, HasSubstr("25.0 % asked it only to learn from"));
  EXPECT_THAT(text, HasSubstr("| waiting for QUICK's proposal | 125.000 | 100.00 % |"));
  EXPECT_THAT(text, HasSubstr("| quick | 6 | 3.00 | 0.0 | 0.00 | 4.00 |"));
}

TEST(TimeUse, WithoutMetricsThereIsNothingToDivideBy) {
  const TimeUse use = ReadTimeUse("/no/such/file");

  EXPECT_THAT(DescribeTimeUse(use, std::chrono::seconds(0)),
              AllOf(HasSubstr("0.0 decisions/s"), Not(HasSubstr("Boundaries"))));
}

}  // namespace
}  // namespace londi::launch
