#include "launch/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace londi::launch {
namespace {

constexpr int kTaken[] = {SIGINT, SIGTERM, SIGCHLD};

sigset_t Taken() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : kTaken) sigaddset(&set, signal);
  return set;
}

// A signal handler has no argument to carry an object.
std::atomic<int> stop_requests = 0;
std::atomic<int> wake_up_pipe[2] = {-1, -1};

void WriteWakeUp() {
  const char byte = 0;
  [[maybe_unused]] const ssize_t full_is_fine = write(wake_up_pipe[1], &byte, 1);
}

// Until `stop` can be read. They are blocked but for the time in ppoll, so none is missed.
void Receive(int stop) {
  sigset_t none;
  sigemptyset(&none);
  pollfd readable{.fd = stop, .events = POLLIN};
  while (ppoll(&readable, 1, nullptr, &none) <= 0) {
  }
}

void OnSignal(int signal) {
  const int saved = errno;
  if (signal != SIGCHLD) ++stop_requests;
  WriteWakeUp();
  errno = saved;
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART | SA_NOCLDSTOP;
  sigaction(signal, &action, nullptr);
}

}  // namespace

Signals::Signals() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    throw core::IoError({.what = "cannot make a pipe",
                         .why = std::strerror(errno),
                         .fix = "raise the limit of open files (ulimit -n)"});
  }
  wake_up_pipe[0] = ends[0];
  wake_up_pipe[1] = ends[1];
  stop_requests = 0;
  for (const int signal : kTaken) Handle(signal, OnSignal);
  Handle(SIGPIPE, SIG_IGN);
  Handle(SIGXFSZ, SIG_IGN);  // A limit on the size of files is an error of the write.
  const sigset_t taken = Taken();
  pthread_sigmask(SIG_BLOCK, &taken, &before_);
  thread_ = std::thread([stop = stop_.fd()] {
    pthread_setname_np(pthread_self(), "signals");
    Receive(stop);
  });
}

Signals::~Signals() {
  stop_.Wake();
  thread_.join();
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  for (const int signal : kTaken) Handle(signal, SIG_DFL);
  close(wake_up_pipe[0].exchange(-1));
  close(wake_up_pipe[1].exchange(-1));
}

int Signals::num_stop_requests() const { return stop_requests; }

void Signals::RequestStop() {
  ++stop_requests;
  WriteWakeUp();
}

void Signals::WakeUp() { WriteWakeUp(); }

void Signals::WaitUntil(core::TimePoint deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  pollfd readable{.fd = wake_up_pipe[0], .events = POLLIN};
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
  if (poll(&readable, 1, timeout) <= 0) return;
  char drained[64];
  while (read(wake_up_pipe[0], drained, sizeof(drained)) > 0) {
  }
}

}  // namespace londi::launch
