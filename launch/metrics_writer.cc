#include "launch/metrics_writer.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <ctime>
#include <nlohmann/json.hpp>

namespace londi::launch {
namespace {

// Of this process, all threads, in user and kernel mode.
double CpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec);
}

}  // namespace

MetricsWriter::MetricsWriter(const std::filesystem::path& file,
                             std::string role,
                             const monitor::Metrics& metrics,
                             std::chrono::milliseconds interval)
    : role_(std::move(role)),
      metrics_(metrics),
      interval_(interval),
      fd_(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      thread_([this] { Run(); }) {}

MetricsWriter::~MetricsWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_all();
  thread_.join();
  if (fd_ >= 0) close(fd_);
}

void MetricsWriter::Run() {
  pthread_setname_np(pthread_self(), "metrics");
  for (bool last = false; !last;) {
    {
      std::unique_lock lock(mutex_);
      last = stop_.wait_for(lock, interval_, [this] { return stopping_; });
    }
    Write();
  }
}

void MetricsWriter::Write() {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto milliseconds = now.time_since_epoch().count() % 1000;
  const std::string line = fmt::format(
      "{{\"time\":\"{:%FT%T}.{:03}Z\",\"role\":{},\"pid\":{},\"cpu_seconds\":{:.3f},"
      "\"metrics\":{}}}\n",
      fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
      milliseconds,
      nlohmann::json(role_).dump(),
      getpid(),
      CpuSeconds(),
      metrics_.ToJson());
  [[maybe_unused]] const ssize_t written = write(fd_, line.data(), line.size());
}

}  // namespace londi::launch
