#include "launch/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

extern char** environ;

namespace londi::launch {
namespace {

ChildExit ExitOf(int status) {
  if (WIFSIGNALED(status)) return {.signal = WTERMSIG(status)};
  return {.status = WEXITSTATUS(status)};
}

std::vector<std::string> Environment(const std::map<std::string, std::string>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!changes.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : changes) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

[[noreturn]] void ThrowNotStarted(const ChildSpec& spec, int error) {
  throw core::IoError(
      {.what = fmt::format("cannot start {} ({})", spec.name, spec.executable.string()),
       .why = std::strerror(error),
       .fix = "check that the file exists, that the run folder is writable, and the limits "
              "of memory and processes (ulimit -a)"});
}

// What the child does between fork and exec; only async-signal-safe calls. Never returns.
[[noreturn]] void BecomeChild(const char* executable,
                              char** arguments,
                              char** environment,
                              int output,
                              int report,
                              pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // The parent died before the line above.
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGPIPE}) ::signal(signal, SIG_DFL);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (null >= 0) dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(executable, arguments, environment);
  const int error = errno;
  [[maybe_unused]] const ssize_t written = write(report, &error, sizeof(error));
  _exit(127);
}

}  // namespace

std::string ChildExit::Text() const {
  return signal == 0 ? fmt::format("exit status {}", status)
                     : fmt::format("killed by signal {} ({})", signal, strsignal(signal));
}

void ThrowAfter(const ChildExit& exit, core::ErrorText text) {
  if (exit.is_hopeless()) throw core::ConfigError(std::move(text));
  throw core::Error(std::move(text));
}

ChildProcess::ChildProcess(const ChildSpec& spec) {
  std::vector<std::string> arguments = {"londi"};  // What ps shows.
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment = Environment(spec.environment);
  std::vector<char*> argument_pointers = Pointers(arguments);
  std::vector<char*> environment_pointers = Pointers(environment);

  const std::string output_file = spec.output.empty() ? "/dev/null" : spec.output.string();
  const int output = open(output_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0) ThrowNotStarted(spec, errno);
  int report[2];  // Closed by a successful exec, else it carries the reason.
  if (pipe2(report, O_CLOEXEC) != 0) {
    const int error = errno;
    close(output);
    ThrowNotStarted(spec, error);
  }
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    BecomeChild(spec.executable.c_str(),
                argument_pointers.data(),
                environment_pointers.data(),
                output,
                report[1],
                parent);
  }
  int error = pid_ < 0 ? errno : 0;
  close(output);
  close(report[1]);
  ssize_t got = 0;
  while (pid_ > 0 && (got = read(report[0], &error, sizeof(error))) < 0 && errno == EINTR) {
  }
  close(report[0]);
  if (pid_ > 0 && got > 0) waitpid(pid_, nullptr, 0);
  if (pid_ < 0 || got > 0) ThrowNotStarted(spec, error);
}

ChildProcess::~ChildProcess() {
  if (exit_) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ChildExit> ChildProcess::TryReap() {
  if (exit_) return exit_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) exit_ = ExitOf(status);
  return exit_;
}

void ChildProcess::Signal(int signal) {
  if (!exit_) kill(pid_, signal);
}

}  // namespace londi::launch
