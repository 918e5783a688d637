#include "monitor/metrics.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "core/error.h"

namespace londi::monitor {
namespace {

TEST(Metrics, SameNameAndLabelsAreTheSameSeries) {
  Metrics metrics;
  Counter first = metrics.GetCounter("londi_calls_total", "calls", {{"tier", "quick"}});
  Counter again = metrics.GetCounter("londi_calls_total", "calls", {{"tier", "quick"}});
  Counter other = metrics.GetCounter("londi_calls_total", "calls", {{"tier", "deepthink"}});

  first.Increment();
  again.Increment(2);
  other.Increment(10);

  EXPECT_EQ(first.value(), 3);
  EXPECT_EQ(metrics.Sum("londi_calls_total"), 13);
  EXPECT_EQ(metrics.Sum("londi_calls_total", {{"tier", "deepthink"}}), 10);
  EXPECT_EQ(metrics.Sum("londi_absent_total"), 0);
}

TEST(Metrics, CountsFromManyThreads) {
  Metrics metrics;
  Counter counter = metrics.GetCounter("londi_steps_total", "steps");
  Histogram histogram = metrics.GetHistogram("londi_wait_ms", "wait", ExponentialBounds(1, 4));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        counter.Increment();
        histogram.Observe(i % 10);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(counter.value(), 4000);
  EXPECT_EQ(metrics.Sum("londi_wait_ms_count"), 4000);
  EXPECT_EQ(metrics.Sum("londi_wait_ms_sum"), 4000 * 4.5);
}

TEST(Metrics, WritesPrometheusText) {
  Metrics metrics;
  metrics.GetGauge("londi_spool_rows", "Rows in the spool", {{"actor", "3"}}).Set(7);
  metrics.GetHistogram("londi_wait_ms", "Waiting", {1, 2}).Observe(1.5);

  const std::string text = metrics.ToPrometheusText();

  EXPECT_NE(text.find("# TYPE londi_spool_rows gauge"), std::string::npos) << text;
  EXPECT_NE(text.find("londi_spool_rows{actor=\"3\"} 7"), std::string::npos) << text;
  EXPECT_NE(text.find("londi_wait_ms_bucket{le=\"2\"} 1"), std::string::npos) << text;
}

TEST(Metrics, WritesOneLineOfJson) {
  Metrics metrics;
  metrics.GetCounter("londi_calls_total", "calls", {{"tier", "quick"}}).Increment(4);
  metrics.GetGauge("londi_lag", "lag").Set(1.5);

  const std::string line = metrics.ToJson();

  EXPECT_EQ(line.find('\n'), std::string::npos);
  const nlohmann::json json = nlohmann::json::parse(line);
  EXPECT_EQ(json.at("londi_calls_total{tier=\"quick\"}"), 4);
  EXPECT_EQ(json.at("londi_lag"), 1.5);
}

TEST(Metrics, RefusesBadAndClashingNames) {
  Metrics metrics;
  metrics.GetCounter("londi_calls_total", "calls");

  EXPECT_THROW(metrics.GetCounter("not a name", "x"), core::ConfigError);
  EXPECT_THROW(metrics.GetGauge("londi_calls_total", "calls"), core::ConfigError);
}

}  // namespace
}  // namespace londi::monitor
