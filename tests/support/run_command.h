#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <ostream>
#include <string>

namespace londi::testing {

struct CommandResult {
  int status = -1;     // Exit status; -1 = ended by a signal.
  std::string output;  // stdout and stderr together.
};

// What GoogleTest shows of one.
inline void PrintTo(const CommandResult& result, std::ostream* out) {
  *out << "status " << result.status << "\n" << result.output;
}

// Runs a shell command to its end; `timeout` seconds, then it is killed (status 137 or 124).
inline CommandResult RunCommand(const std::string& command, int timeout = 60) {
  const std::string limited =
      "timeout -k 1 " + std::to_string(timeout) + " " + command + " 2>&1 </dev/null";
  CommandResult result;
  FILE* pipe = popen(limited.c_str(), "r");
  if (pipe == nullptr) return result;
  char buffer[4096];
  for (std::size_t got; (got = fread(buffer, 1, sizeof(buffer), pipe)) > 0;)
    result.output.append(buffer, got);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.status = WEXITSTATUS(status);
  return result;
}

}  // namespace londi::testing
