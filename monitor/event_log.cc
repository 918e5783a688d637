#include "monitor/event_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace londi::monitor {
namespace {

[[noreturn]] void ThrowErrno(const std::filesystem::path& file) {
  throw core::IoError({.what = "cannot write the event log " + file.string(),
                       .why = std::string(std::strerror(errno)) + ".",
                       .fix = "check the folder's permissions and the free disk space"});
}

std::string UtcNow() {
  const auto now =
      std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto milliseconds = now.time_since_epoch().count() % 1000;
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     milliseconds);
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& file, std::string source)
    : file_(file), source_(std::move(source)) {
  std::error_code ignored;  // open() below reports what is wrong.
  std::filesystem::create_directories(file.parent_path(), ignored);
  fd_ = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd_ < 0) ThrowErrno(file_);
}

EventLog::~EventLog() { close(fd_); }

void EventLog::Append(std::string_view event, std::initializer_list<EventField> fields) {
  nlohmann::ordered_json json = {{"time", UtcNow()}, {"source", source_}, {"event", event}};
  for (const EventField& field : fields) {
    std::visit([&](const auto& value) { json[std::string(field.first)] = value; }, field.second);
  }
  const std::string line =
      json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  ssize_t written = 0;
  do {
    written = write(fd_, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(line.size())) ThrowErrno(file_);
}

}  // namespace londi::monitor
