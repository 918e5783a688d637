#include "monitor/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace londi::monitor {
namespace {

bool HasLabels(const MetricValue& value, const Labels& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto found = value.labels.find(label.first);
    return found != value.labels.end() && found->second == label.second;
  });
}

void Append(const prometheus::MetricFamily& family,
            const prometheus::ClientMetric& metric,
            std::vector<MetricValue>& values) {
  Labels labels;
  for (const auto& label : metric.label) labels[label.name] = label.value;
  switch (family.type) {
    case prometheus::MetricType::Counter:
      values.push_back({family.name, std::move(labels), metric.counter.value});
      break;
    case prometheus::MetricType::Gauge:
      values.push_back({family.name, std::move(labels), metric.gauge.value});
      break;
    default:  // Only histograms are left: Metrics makes no other kind.
      values.push_back(
          {family.name + "_count", labels, static_cast<double>(metric.histogram.sample_count)});
      values.push_back({family.name + "_sum", std::move(labels), metric.histogram.sample_sum});
  }
}

std::string SeriesName(const MetricValue& value) {
  if (value.labels.empty()) return value.name;
  std::string name = value.name + "{";
  for (const auto& [key, text] : value.labels) {
    if (name.back() != '{') name += ',';
    name.append(key).append("=\"").append(text).append("\"");
  }
  return name + "}";
}

}  // namespace

void Counter::Increment(double by) { series_->Increment(by); }
double Counter::value() const { return series_->Value(); }
void Gauge::Set(double value) { series_->Set(value); }
void Gauge::Add(double by) { series_->Increment(by); }
double Gauge::value() const { return series_->Value(); }
void Histogram::Observe(double value) { series_->Observe(value); }

struct Metrics::Impl {
  // Runs `make` and turns prometheus-cpp's complaints into ours.
  template <class Make>
  auto Guarded(const std::string& name, Make make) {
    try {
      return make();
    } catch (const std::invalid_argument& e) {
      throw core::ConfigError(
          {.what = "metric " + name + " cannot be registered",
           .why = std::string(e.what()) + ".",
           .fix = "use [a-z_:][a-z0-9_:]* for the name, and one kind of metric per name"});
    }
  }

  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  std::mutex mutex;
  std::map<std::string, std::vector<double>> bounds;  // Guarded by mutex.
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

Counter Metrics::GetCounter(const std::string& name,
                            const std::string& help,
                            const Labels& labels) {
  return impl_->Guarded(name, [&] {
    return Counter(
        prometheus::BuildCounter().Name(name).Help(help).Register(impl_->registry).Add(labels));
  });
}

Gauge Metrics::GetGauge(const std::string& name, const std::string& help, const Labels& labels) {
  return impl_->Guarded(name, [&] {
    return Gauge(
        prometheus::BuildGauge().Name(name).Help(help).Register(impl_->registry).Add(labels));
  });
}

Histogram Metrics::GetHistogram(const std::string& name,
                                const std::string& help,
                                const std::vector<double>& bounds,
                                const Labels& labels) {
  std::lock_guard lock(impl_->mutex);
  const std::vector<double>& first_bounds = impl_->bounds.try_emplace(name, bounds).first->second;
  return impl_->Guarded(name, [&] {
    return Histogram(prometheus::BuildHistogram()
                         .Name(name)
                         .Help(help)
                         .Register(impl_->registry)
                         .Add(labels, first_bounds));
  });
}

std::vector<MetricValue> Metrics::Collect() const {
  std::vector<MetricValue> values;
  for (const prometheus::MetricFamily& family : impl_->registry.Collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) Append(family, metric, values);
  }
  std::sort(values.begin(), values.end(), [](const MetricValue& a, const MetricValue& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  });
  return values;
}

double Metrics::Sum(std::string_view name, const Labels& labels) const {
  double sum = 0;
  for (const MetricValue& value : Collect()) {
    if (value.name == name && HasLabels(value, labels)) sum += value.value;
  }
  return sum;
}

std::string Metrics::ToPrometheusText() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

std::string Metrics::ToJson() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const MetricValue& value : Collect()) json[SeriesName(value)] = value.value;
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::vector<double> ExponentialBounds(double first, int count) {
  std::vector<double> bounds;
  for (int i = 0; i < count; ++i, first *= 2) bounds.push_back(first);
  return bounds;
}

}  // namespace londi::monitor
