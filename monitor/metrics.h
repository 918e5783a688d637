#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace londi::monitor {

// Label name -> value, e.g. {{"tier", "quick"}}. Few values per name: every combination is a series
// for ever.
using Labels = std::map<std::string, std::string>;

// The three handles below are plain pointers into their Metrics (which must outlive them): copy
// them freely, keep them in the object that counts, and use them from any thread. An update is one
// atomic operation (a counter), or one short lock (a histogram).
class Counter {
 public:
  void Increment(double by = 1);  // by >= 0
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& series) : series_(&series) {}
  prometheus::Counter* series_;
};

class Gauge {
 public:
  void Set(double value);
  void Add(double by);
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
  prometheus::Gauge* series_;
};

class Histogram {
 public:
  void Observe(double value);

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
  prometheus::Histogram* series_;
};

// One number of the registry: a counter, a gauge, or a histogram's "<name>_count" / "<name>_sum".
struct MetricValue {
  std::string name;
  Labels labels;
  double value = 0;
};

// All metrics of one process. Names are "londi_<what>_<unit>", counters end in "_total" (Prometheus
// conventions). Asking twice for the same name and labels gives the same series. Thread-safe; ask
// once, not per step: Get* locks. Throws core::ConfigError when a name is malformed or already used
// for another kind of metric.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  Counter GetCounter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge GetGauge(const std::string& name, const std::string& help, const Labels& labels = {});
  // `bounds`: upper limits of the buckets, ascending; a bucket for everything above is implied. The
  // first caller of a name decides them.
  Histogram GetHistogram(const std::string& name,
                         const std::string& help,
                         const std::vector<double>& bounds,
                         const Labels& labels = {});

  // Everything now, ordered by name.
  std::vector<MetricValue> Collect() const;
  // Sum over the series of `name` whose labels contain `labels`; 0 when there is none.
  double Sum(std::string_view name, const Labels& labels = {}) const;
  // Prometheus text exposition format 0.0.4.
  std::string ToPrometheusText() const;
  // One line of JSON without the newline: {"name{label=\"value\"}": number, ...}.
  std::string ToJson() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Buckets that double from `first`, `count` of them; e.g. ExponentialBounds(0.1, 16) for
// milliseconds.
std::vector<double> ExponentialBounds(double first, int count);

}  // namespace londi::monitor
