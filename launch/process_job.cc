#include "launch/process_job.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "configs/duration_text.h"
#include "core/error.h"
#include "launch/member_health.h"
#include "launch/progress_totals.h"
#include "launch/shell_words.h"
#include "launch/supervisor.h"
#include "transport/run_keys.h"

namespace londi::launch {
namespace {

// While roles are asked to end, the others are looked after this often.
constexpr std::chrono::milliseconds kWatchEvery{250};

class ProcessJob final : public Job {
 public:
  explicit ProcessJob(const ProcessJobParts& parts)
      : parts_(parts),
        supervisor_({.budget = parts.config.run.restarts, .startup = parts.config.run.startup},
                    {.clock = parts.clock, .logger = parts.logger, .events = parts.events}) {
    std::error_code ignored;  // An older epoch's: nobody should knock there.
    std::filesystem::remove(parts_.folder.rendezvous(), ignored);
    std::filesystem::remove(parts_.folder.members(), ignored);
    MakeKeys();
    Start("coordinator", {"coordinator"}, 1);
    Start("learner", {"learner"}, parts_.config.run.learner_threads);
    if (!parts_.config.run.rows_from.empty()) return;  // Its rows are there already.
    StartWorkers(core::Tier::kQuick, parts_.config.quick);
    StartWorkers(core::Tier::kDeepthink, parts_.config.deepthink);
    for (int i = 0; i < parts_.config.run.num_actors; ++i) {
      Start(fmt::format("actor.{}", i), {"actor", "--index", std::to_string(i)}, 1);
    }
  }

  // Nobody listens to them any more.
  ~ProcessJob() override {
    std::error_code ignored;
    std::filesystem::remove(parts_.folder.keys(), ignored);
  }

  void Poll() override {
    const MemberHealth health = HealthByCurrentCoordinator();
    for (const auto& [name, pid] : health.working) {
      supervisor_.NoteWorking(name, static_cast<pid_t>(pid));
    }
    supervisor_.Poll();
    for (const auto& [name, pid] : health.lost) {
      supervisor_.KillHung(name, static_cast<pid_t>(pid));
    }
  }

  ProgressSample Progress() override { return Sample(ReadTotals(parts_.folder)); }

  bool Works() const override { return supervisor_.AllWork(); }

  void Stop(const Hurry& hurry) override {
    const auto stop = [&](const char* role) {
      return supervisor_.Stop(
          role, parts_.clock.Now() + parts_.config.run.drain, [&](core::TimePoint until) {
            Poll();  // Actors can hand over their rows only while the learner lives.
            parts_.signals.WaitUntil(std::min(until, parts_.clock.Now() + kWatchEvery));
            return !hurry();
          });
    };
    const auto actors = stop("actor"), learner = stop("learner");
    stop("inference");  // What these might fail at serves nobody any more.
    stop("coordinator");
    ThrowIfFailed(actors.failed,
                  "rows that it had not handed over are in its spool, if they are anywhere");
    std::vector<std::string> without_checkpoint = learner.failed;
    if (!hurry()) {  // Else it was wanted so.
      for (const std::string& name : learner.killed) {
        without_checkpoint.push_back(fmt::format("{}: killed after run.drain ({})",
                                                 name,
                                                 configs::DurationText(parts_.config.run.drain)));
      }
      for (const std::string& name : learner.absent)
        without_checkpoint.push_back(name + ": it was to be started again");
    }
    ThrowIfFailed(without_checkpoint,
                  "its last checkpoint is missing, and what it learned since the one before");
  }

 private:
  void ThrowIfFailed(const std::vector<std::string>& failed, const char* why) const {
    if (failed.empty()) return;
    throw core::Error({.what = fmt::format("a role failed when it was to end: {}", failed.front()),
                       .why = why,
                       .fix = fmt::format("look at {}, then go on with `londi train --resume {}`",
                                          parts_.folder.logs().string(),
                                          ShellWord(parts_.folder.path.string()))});
  }

  // A new coordinator knows nobody, and what the one before has written is out of date. Who hangs
  // meanwhile is then found out like one that never began to work.
  MemberHealth HealthByCurrentCoordinator() {
    const pid_t pid = supervisor_.Pid("coordinator");
    if (std::exchange(coordinator_, pid) != pid) supervisor_.ForgetWorking();
    MemberHealth health = ReadMemberHealth(parts_.folder.members());
    const auto writer = health.working.find("coordinator");
    return writer != health.working.end() && writer->second == pid ? health : MemberHealth{};
  }

  void MakeKeys() {
    if (parts_.config.transport.security == transport::Security::kCurve) {
      transport::WriteRunKeys(parts_.folder.keys(), transport::MakeRunKeys());
    } else {
      parts_.logger->warn(
          "transport.security is none: the roles' sockets on {} are open to every user of this "
          "machine",
          parts_.config.run.interface);
    }
  }

  void StartWorkers(core::Tier tier, const configs::LmChoice& lm) {
    for (int i = 0; i < lm.workers; ++i) {
      const std::string tier_name = core::TierName(tier);
      Start(fmt::format("inference.{}.{}", tier_name, i),
            {"inference", "--tier", tier_name, "--index", std::to_string(i)},
            lm.threads);
    }
  }

  // `threads`: of LibTorch's loops. They sleep while there is nothing to do: the roles share cores.
  void Start(const std::string& name, std::vector<std::string> arguments, int threads) {
    arguments.insert(arguments.end(), {"--run", parts_.folder.path.string()});
    supervisor_.Start({.name = name,
                       .executable = parts_.executable,
                       .arguments = std::move(arguments),
                       .environment = {{"OMP_NUM_THREADS", std::to_string(threads)},
                                       {"OMP_WAIT_POLICY", "PASSIVE"}},
                       .output = parts_.folder.logs() / (name + ".out")});
  }

  const ProcessJobParts parts_;
  Supervisor supervisor_;
  pid_t coordinator_ = 0;  // Whose word on who works is trusted.
};

}  // namespace

std::unique_ptr<Job> StartProcessJob(const ProcessJobParts& parts) {
  return std::make_unique<ProcessJob>(parts);
}

}  // namespace londi::launch
