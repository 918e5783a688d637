#include "launch/network_hold.h"

#include <fmt/format.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace londi::launch {
namespace {

constexpr const char* kNetworkThreads = "ZMQbg/IO";  // libzmq's name for them.
constexpr int kMostLooks = 100;
constexpr std::chrono::milliseconds kBetweenLooks{1};

std::vector<pid_t> NetworkThreads(pid_t pid) {
  std::vector<pid_t> tids;
  std::error_code gone;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), gone)) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name.starts_with(kNetworkThreads)) tids.push_back(std::stoi(task.path().filename()));
  }
  return tids;
}

}  // namespace

std::unique_ptr<NetworkHold> NetworkHold::Of(pid_t pid) {
  std::unique_ptr<NetworkHold> hold(new NetworkHold);
  for (const pid_t tid : NetworkThreads(pid)) {
    if (ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) == 0) hold->threads_.push_back({.tid = tid});
  }
  return hold->threads_.empty() ? nullptr : std::move(hold);
}

// A thread can be left only while it stands. One that does not stand in time is left by the kernel
// when this process ends.
NetworkHold::~NetworkHold() {
  Hold();
  for (Thread& thread : threads_) {
    for (int i = 0; i < kMostLooks && !thread.stands && thread.tid != 0; ++i) {
      Look(thread);
      if (!thread.stands) std::this_thread::sleep_for(kBetweenLooks);
    }
    if (thread.tid != 0) ptrace(PTRACE_DETACH, thread.tid, nullptr, thread.signal);
  }
}

void NetworkHold::Look(Thread& thread) {
  int status = 0;
  const pid_t seen = waitpid(thread.tid, &status, WNOHANG | __WALL);
  if (seen == 0) return;
  if (seen < 0 || !WIFSTOPPED(status)) {
    thread.tid = 0;
    return;
  }
  thread.stands = true;
  const bool is_signal = status >> 16 == 0;  // Not the stop that was asked for.
  if (is_signal) thread.signal = WSTOPSIG(status);
}

void NetworkHold::Hold() {
  for (const Thread& thread : threads_) ptrace(PTRACE_INTERRUPT, thread.tid, nullptr, nullptr);
}

void NetworkHold::LetPass() {
  for (Thread& thread : threads_) {
    Look(thread);
    if (!thread.stands) continue;
    ptrace(PTRACE_CONT, thread.tid, nullptr, thread.signal);
    thread.stands = false;
    thread.signal = 0;
  }
}

bool NetworkHold::AnyLeft() {
  for (Thread& thread : threads_) Look(thread);
  std::erase_if(threads_, [](const Thread& thread) { return thread.tid == 0; });
  return !threads_.empty();
}

}  // namespace londi::launch
