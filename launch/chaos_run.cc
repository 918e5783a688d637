#include "launch/chaos_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "launch/chaos_act.h"
#include "launch/member_health.h"
#include "launch/run_invariants.h"
#include "launch/train_run.h"
#include "monitor/event_log.h"

namespace londi::launch {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLookEvery{50};

// The newest process of `role`; 0: none that runs.
pid_t PidOf(const RunFolder& folder, const std::string& role) {
  pid_t pid = 0;
  std::ifstream in(folder.events());
  for (std::string line; std::getline(in, line);) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    if (!event.is_object() || event.value("event", "") != "role_started") continue;
    if (event.value("role", "") == role) pid = event.value("pid", 0);
  }
  return pid > 0 && IsOurChild(pid) ? pid : 0;
}

// Carries out a schedule against the roles of a run that this process drives: from when all of
// them work until `peace` after the start of the run.
class Attack {
 public:
  Attack(const ChaosOptions& options, std::vector<std::string> roles)
      : peace_(options.peace()),
        roles_(std::move(roles)),
        acts_(MakeChaosSchedule(options, roles_)) {}

  void Run(std::stop_token stop, const RunFolder& folder) {
    monitor::EventLog events(folder.events(), "chaos");
    const core::TimePoint peace = steady_clock::now() + peace_;
    while (!AllWork(folder) && WaitUntil(stop, steady_clock::now() + kLookEvery)) {
    }
    const core::TimePoint begin = steady_clock::now();
    for (const ChaosAct& act : acts_) {
      if (begin + act.at >= peace || !WaitUntil(stop, begin + act.at)) break;
      const pid_t pid = PidOf(folder, act.role);
      auto under_way = pid > 0 ? Perform(act, pid, steady_clock::now()) : std::nullopt;
      if (under_way) {
        ++counts_[ChaosKindName(act.kind)];
        hit_.insert(act.role);
        under_way_.push_back(*under_way);
      } else {
        ++missed_;
      }
      events.Append(
          std::string(under_way ? "chaos_" : "chaos_missed_") + ChaosKindName(act.kind),
          {{"role", act.role}, {"pid", std::int64_t{pid}}, {"milliseconds", act.length.count()}});
    }
    while (!under_way_.empty()) {
      if (!WaitUntil(stop, NextStep())) Step(core::TimePoint::max());
    }
  }

  // Name of the act -> how often it hit.
  const std::map<std::string, int>& counts() const { return counts_; }
  const std::set<std::string>& roles_hit() const { return hit_; }
  int missed() const { return missed_; }
  int num_planned() const { return static_cast<int>(acts_.size()); }

 private:
  bool AllWork(const RunFolder& folder) const {
    const LostMembers::Pids working = ReadMemberHealth(folder.members()).working;
    return std::ranges::all_of(roles_,
                               [&](const std::string& role) { return working.contains(role); });
  }

  // Requires an act under way.
  core::TimePoint NextStep() const {
    return std::ranges::min(under_way_, {}, &ActUnderWay::next).next;
  }

  // False: asked to stop. Goes on with the acts under way meanwhile.
  bool WaitUntil(std::stop_token stop, core::TimePoint time) {
    std::unique_lock lock(mutex_);
    do {
      Step(steady_clock::now());
      const core::TimePoint until = under_way_.empty() ? time : std::min(time, NextStep());
      wake_.wait_until(lock, stop, until, [] { return false; });
    } while (!stop.stop_requested() && steady_clock::now() < time);
    return !stop.stop_requested();
  }

  void Step(core::TimePoint now) {
    std::erase_if(under_way_, [&](ActUnderWay& act) {
      if (act.next > now) return false;
      const auto next = act.step(now);
      act.next = next.value_or(now);
      return !next;
    });
  }

  const std::chrono::milliseconds peace_;
  const std::vector<std::string> roles_;
  const std::vector<ChaosAct> acts_;
  std::map<std::string, int> counts_;
  std::set<std::string> hit_;
  int missed_ = 0;
  std::vector<ActUnderWay> under_way_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

// What the run trains for: as long as the attack lasts, on top of what it had.
WholeRunOptions UnderAttack(WholeRunOptions run, std::chrono::seconds duration) {
  auto total = duration;
  if (!run.resume.empty()) {
    total += std::chrono::ceil<std::chrono::seconds>(ReadTrained(OpenRunFolder(run.resume)).time);
  }
  // Small segments: a full disk is felt soon. What the user asks for comes after and wins.
  run.sets.insert(run.sets.begin(), "transition_log.segment_bytes=1048576");
  run.sets.push_back(fmt::format("run.duration={}s", total.count()));
  run.sets.push_back("run.max_decisions=0");
  run.sets.push_back("learner.max_updates=0");
  run.sets.push_back("run.restarts=1000");
  run.evaluate = false;
  return run;
}

// Where the roles are no processes, or nobody acts, there is nothing to hurt or to lose.
void RequireProcessesThatAct(const WholeRunOptions& run) {
  const configs::RunConfig config = configs::LoadRunConfig(
      run.resume.empty() ? run.config : OpenRunFolder(run.resume).config(), run.sets);
  if (config.run.lock_step > 0) {
    throw core::ConfigError(
        {.what = fmt::format("run.lock_step is {} in an attack", config.run.lock_step),
         .why = "all roles then take turns in one process: none can be killed or cut off alone",
         .fix = "attack a run with run.lock_step=0"});
  }
  if (!config.run.rows_from.empty()) {
    throw core::ConfigError(
        {.what = fmt::format("run.rows_from is {} in an attack", config.run.rows_from.string()),
         .why = "nobody acts then: its rows are there already, and none can be lost",
         .fix = "attack a run without run.rows_from"});
  }
}

int CountRestarts(const RunFolder& folder) {
  int failures = 0;
  std::ifstream in(folder.events());
  for (std::string line; std::getline(in, line);) {
    failures += line.find("\"role_failed\"") != std::string::npos ? 1 : 0;
  }
  return failures;
}

}  // namespace

int RunChaos(const ChaosRunOptions& options) {
  RequireProcessesThatAct(options.run);
  WholeRunOptions run = UnderAttack(options.run, options.chaos.duration);
  const configs::RunConfig config = configs::LoadRunConfig(
      run.resume.empty() ? run.config : OpenRunFolder(run.resume).config(), run.sets);
  Attack attack(options.chaos, RolesOf(config));
  RunFolder folder;
  std::exception_ptr failure;
  run.beside = [&](std::stop_token stop, const RunFolder& where) {
    folder = where;
    try {
      attack.Run(std::move(stop), where);
    } catch (...) {
      failure = std::current_exception();
    }
  };
  const int status = RunWhole(run);
  if (failure) std::rethrow_exception(failure);
  if (status != 0) return status;

  const InvariantReport report = CheckInvariants(folder, config);
  fmt::print("chaos: seed {}, {} s", options.chaos.seed, options.chaos.duration.count());
  for (const auto& [kind, count] : attack.counts()) fmt::print(", {} x {}", count, kind);
  fmt::print(", {} missed; {} roles hit, {} restarts\nlog: {} rows of {} streams\n",
             attack.missed(),
             attack.roles_hit().size(),
             CountRestarts(folder),
             report.rows,
             report.streams);
  for (const std::string& violation : report.violations) fmt::print("VIOLATED: {}\n", violation);
  if (!report.violations.empty()) return 1;
  if (attack.num_planned() > 0 && attack.roles_hit().empty()) {
    throw core::Error(
        {.what = "no act of the attack hit",
         .why = fmt::format("{} were planned, from when all roles worked until the last fifth of "
                            "the {} s, which is left in peace",
                            attack.num_planned(),
                            options.chaos.duration.count()),
         .fix = "attack for longer (--minutes); " + (folder.logs() / "train.log").string() +
                " says how the roles fared"});
  }
  fmt::print("all invariants hold\n");
  return 0;
}

}  // namespace londi::launch
