#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"

namespace londi::launch {

// Exit status with which londi says that once more is no use: the command line, the configuration
// or a model is wrong. Main's for core::ConfigError and core::ModelError.
inline constexpr int kStatusHopeless = 2;

struct ChildSpec {
  std::string name;  // E.g. "actor.3".
  std::filesystem::path executable;
  std::vector<std::string> arguments;
  std::map<std::string, std::string> environment;  // On top of this process's own.
  std::filesystem::path output;                    // stdout and stderr are appended here.
};

// How a child ended.
struct ChildExit {
  int status = 0;  // Exit status, if no signal ended it.
  int signal = 0;  // 0 = it ended by itself.
  bool succeeded() const { return status == 0 && signal == 0; }
  bool is_hopeless() const { return status == kStatusHopeless && signal == 0; }
  std::string Text() const;  // "exit status 3", "killed by signal 9 (Killed)"
};

// Throws core::ConfigError after a hopeless exit, otherwise core::Error: a parent that fails by its
// child ends with the child's word on whose fault it was.
[[noreturn]] void ThrowAfter(const ChildExit& exit, core::ErrorText text);

// A running child process. It is killed by the kernel when the thread that started it ends
// (PR_SET_PDEATHSIG), so start children from main's thread: then nothing outlives this process,
// not even a kill -9. It has a process group of its own: Ctrl-C reaches only the parent. The
// destructor kills and reaps.
class ChildProcess {
 public:
  // Throws core::IoError when it cannot be started (no such file, no memory, output not writable).
  explicit ChildProcess(const ChildSpec& spec);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  // Does not block; nullopt: it still runs.
  [[nodiscard]] std::optional<ChildExit> TryReap();

  void Signal(int signal);  // Nothing happens once it was reaped.

 private:
  pid_t pid_ = -1;
  std::optional<ChildExit> exit_;
};

}  // namespace londi::launch
