#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace londi::monitor {

using EventValue = std::variant<bool, std::int64_t, double, std::string>;
using EventField = std::pair<std::string_view, EventValue>;

// The run's diary, for people and scripts: one JSON object per line, append-only,
//   {"time":"2026-01-31T12:00:00.123Z","source":"learner","event":"checkpoint_written","version":12}
// Each line is one write(2) to a file opened with O_APPEND: several processes may share the file,
// and a kill tears no line but the last. Thread-safe.
class EventLog {
 public:
  // `source`: the role that writes, e.g. "actor.3". Creates the folder. Throws core::IoError.
  EventLog(const std::filesystem::path& file, std::string source);
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  // Events in snake_case and past tense: role_started, role_stopped, role_restarted,
  // checkpoint_written, weights_published, epoch_raised ... Throws core::IoError when the disk
  // refuses.
  void Append(std::string_view event, std::initializer_list<EventField> fields = {});

 private:
  std::filesystem::path file_;
  std::string source_;
  int fd_;
};

}  // namespace londi::monitor
