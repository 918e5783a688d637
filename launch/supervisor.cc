#include "launch/supervisor.h"

#include <fmt/format.h>
#include <signal.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "core/error.h"

namespace londi::launch {

std::string LastLines(const std::filesystem::path& file, int lines) {
  std::ifstream in(file);
  in.seekg(0, std::ios::end);
  constexpr std::int64_t kMost = 16 * 1024;
  const std::int64_t size = in.good() ? static_cast<std::int64_t>(in.tellg()) : 0;
  in.seekg(std::max<std::int64_t>(0, size - kMost));
  std::string text{std::istreambuf_iterator<char>(in), {}};
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::size_t from = text.size();
  for (int i = 0; i < lines && from != std::string::npos && from > 0; ++i) {
    from = text.rfind('\n', from - 1);
  }
  return from == std::string::npos || from == 0 ? text : text.substr(from + 1);
}

Supervisor::Supervisor(RestartOptions options, Parts parts)
    : options_(options), parts_(std::move(parts)) {}

Supervisor::~Supervisor() = default;

void Supervisor::Start(ChildSpec spec) {
  children_.push_back(
      std::make_unique<Child>(Child{.spec = std::move(spec), .policy = RestartPolicy(options_)}));
  Launch(*children_.back());
}

void Supervisor::Launch(Child& child) {
  child.restart_at.reset();
  child.process = std::make_unique<ChildProcess>(child.spec);
  child.started_at = child.unknown_since = parts_.clock.Now();
  child.works = false;
  parts_.logger->info("{} runs, pid={}", child.spec.name, child.process->pid());
  parts_.events.Append("role_started",
                       {{"role", child.spec.name},
                        {"pid", std::int64_t{child.process->pid()}},
                        {"restarts", std::int64_t{child.policy.restarts()}}});
}

void Supervisor::OnFailure(Child& child, const ChildExit& exit) {
  child.process.reset();
  parts_.events.Append("role_failed", {{"role", child.spec.name}, {"how", exit.Text()}});
  const bool hopeless = exit.is_hopeless();
  const auto restart_at =
      hopeless ? std::nullopt : child.policy.OnFailure(child.started_at, parts_.clock.Now());
  if (!restart_at) {
    const std::string last = LastLines(child.spec.output, 6);
    const int failures = child.policy.restarts() + 1;
    const std::string how =
        failures == 1
            ? fmt::format("failed: {}", exit.Text())
            : fmt::format("failed {} times, the last time with {}", failures, exit.Text());
    ThrowAfter(exit,
               {.what = hopeless ? fmt::format("{} cannot run: {}", child.spec.name, exit.Text())
                                 : fmt::format("{} {}", child.spec.name, how),
                .why = last.empty() ? "it printed nothing, as when it is killed from outside"
                                    : fmt::format("it said:\n{}", last),
                .fix = fmt::format(
                    "mend that, then go on with `londi train --resume`; all it printed is in {}, "
                    "what it logged in the .log beside it",
                    child.spec.output.string())});
  }
  child.restart_at = restart_at;
  parts_.logger->warn("{} failed: {}; restart {} of {}",
                      child.spec.name,
                      exit.Text(),
                      child.policy.restarts(),
                      options_.budget);
}

void Supervisor::Poll() {
  for (const auto& child : children_) {
    if (child->stopping) continue;
    if (child->process) {
      if (const auto exit = child->process->TryReap()) {
        OnFailure(*child, *exit);
      } else if (!child->works && parts_.clock.Now() - child->unknown_since >= options_.startup) {
        KillHung(*child);
      }
    }
    if (child->restart_at && *child->restart_at <= parts_.clock.Now()) Launch(*child);
  }
}

Supervisor::Child* Supervisor::Find(std::string_view name, pid_t pid) {
  for (const auto& child : children_) {
    if (child->spec.name == name && child->process && child->process->pid() == pid)
      return child.get();
  }
  return nullptr;
}

void Supervisor::NoteWorking(std::string_view name, pid_t pid) {
  if (Child* child = Find(name, pid)) child->works = true;
}

void Supervisor::ForgetWorking() {
  for (const auto& child : children_) {
    child->works = false;
    child->unknown_since = parts_.clock.Now();
  }
}

void Supervisor::KillHung(std::string_view name, pid_t pid) {
  Child* child = Find(name, pid);
  if (child != nullptr && !child->stopping) KillHung(*child);
}

void Supervisor::KillHung(Child& child) {
  const pid_t pid = child.process->pid();
  if (std::exchange(child.hung_pid, pid) == pid) return;
  parts_.logger->warn("{} hangs and is killed, pid={}", child.spec.name, pid);
  parts_.events.Append("role_hung", {{"role", child.spec.name}, {"pid", std::int64_t{pid}}});
  child.process->Signal(SIGKILL);
}

std::optional<core::TimePoint> Supervisor::NextRestart() const {
  std::optional<core::TimePoint> next;
  for (const auto& child : children_) {
    if (child->restart_at && (!next || *child->restart_at < *next)) next = child->restart_at;
  }
  return next;
}

Supervisor::Stopped Supervisor::Stop(std::string_view prefix,
                                     core::TimePoint deadline,
                                     const std::function<bool(core::TimePoint)>& wait) {
  Stopped stopped;
  std::vector<Child*> stopping;
  for (const auto& child : children_) {
    if (!child->spec.name.starts_with(prefix)) continue;
    child->stopping = true;
    if (child->restart_at) {
      parts_.events.Append("role_stopped",
                           {{"role", child->spec.name}, {"how", "it was to be started again"}});
      stopped.absent.push_back(child->spec.name);
      child->restart_at.reset();
    }
    if (!child->process) continue;
    child->process->Signal(SIGTERM);
    stopping.push_back(child.get());
  }
  const auto reap = [&] {
    std::erase_if(stopping, [&](Child* child) {
      const auto exit = child->process->TryReap();
      if (!exit) return false;
      parts_.logger->info("{} ended: {}", child->spec.name, exit->Text());
      parts_.events.Append("role_stopped", {{"role", child->spec.name}, {"how", exit->Text()}});
      const bool had_just_begun = exit->signal == SIGTERM;
      if (had_just_begun && child->policy.restarts() > 0) {
        stopped.absent.push_back(child->spec.name);
      } else if (!exit->succeeded() && !had_just_begun) {
        stopped.failed.push_back(child->spec.name + ": " + exit->Text());
        parts_.logger->warn("{} failed when it was to end: {}; the last it said: {}",
                            child->spec.name,
                            exit->Text(),
                            LastLines(child->spec.output, 6));
      }
      child->process.reset();
      return true;
    });
    return stopping.empty();
  };
  while (!reap() && parts_.clock.Now() < deadline && wait(deadline)) {
  }
  for (Child* child : stopping) {
    parts_.logger->warn("{} did not end in time and is killed", child->spec.name);
    parts_.events.Append("role_killed", {{"role", child->spec.name}});
    stopped.killed.push_back(child->spec.name);
    child->process.reset();
  }
  return stopped;
}

bool Supervisor::AllWork() const {
  return std::ranges::all_of(children_, [](const auto& child) { return child->works; });
}

int Supervisor::num_running() const {
  return static_cast<int>(std::ranges::count_if(
      children_, [](const auto& child) { return child->process != nullptr; }));
}

int Supervisor::num_restarts() const {
  int restarts = 0;
  for (const auto& child : children_) restarts += child->policy.restarts();
  return restarts;
}

pid_t Supervisor::Pid(std::string_view name) const {
  for (const auto& child : children_) {
    if (child->spec.name == name && child->process) return child->process->pid();
  }
  return 0;
}

}  // namespace londi::launch
