#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>
#include <vector>

#include "configs/duration_text.h"
#include "core/error.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "launch/wiring.h"
#include "transport/spool_journal.h"
#include "transport/zmq_lm_client.h"
#include "transport/zmq_transitions.h"
#include "transport/zmq_weights.h"

namespace londi::launch {
namespace {

std::vector<std::string> WorkersOf(const std::vector<transport::Member>& members, core::Tier tier) {
  std::vector<std::string> endpoints;
  for (const transport::Member& member : members) {
    const auto& all = member.registration.endpoints;
    const auto found = all.find(transport::kLmEndpoint);
    if (member.registration.tier == tier && found != all.end()) endpoints.push_back(found->second);
  }
  return endpoints;
}

// The actor's ends of all channels, connected to whoever is a member now.
struct Channels {
  Channels(const transport::ChannelContext& context, const transport::TransitionSinkOptions& spool)
      : quick(transport::MakeZmqLmClient(context, core::Tier::kQuick)),
        deepthink(transport::MakeZmqLmClient(context, core::Tier::kDeepthink)),
        sink(transport::MakeZmqTransitionSink(context, spool)),
        weights(transport::MakeZmqWeightsSubscriber(context)) {}

  void Connect(const transport::RegistryClient& registry) {
    const auto workers = registry.Members(transport::Role::kInference);
    quick->SetWorkers(WorkersOf(workers, core::Tier::kQuick));
    deepthink->SetWorkers(WorkersOf(workers, core::Tier::kDeepthink));
    const auto learners = registry.Members(transport::Role::kLearner);
    sink->SetEndpoint(EndpointOf(learners, transport::kTransitionsEndpoint));
    const std::string announce = EndpointOf(learners, transport::kWeightsAnnounceEndpoint);
    if (!announce.empty()) {
      weights->SetEndpoints(announce, EndpointOf(learners, transport::kWeightsPullEndpoint));
    }
  }

  std::unique_ptr<transport::ZmqLmClient> quick;
  std::unique_ptr<transport::ZmqLmClient> deepthink;
  std::unique_ptr<transport::ZmqTransitionSink> sink;
  std::unique_ptr<transport::ZmqWeightsSubscriber> weights;
};

// Renews the lease with the loop's progress while the loop has a pulse, follows the members, hands
// the wish to end on. What is asked to end has the supervisor's patience instead of a lease.
class Heartbeat {
 public:
  Heartbeat(RoleProcess& process, Channels& channels, actors::ActorLoop& loop)
      : process_(process), channels_(channels), loop_(loop) {}

  void operator()() {
    const std::int64_t version = process_.registry().members_version();
    if (version != seen_) channels_.Connect(process_.registry());
    seen_ = version;
    const std::int64_t pulse = loop_.pulse();
    if (pulse != felt_ || stopping_) process_.registry().Report(Counters(loop_.progress()));
    felt_ = pulse;
    if (!stopping_ && process_.ShouldStop()) Stop();
  }

 private:
  void Stop() {
    stopping_ = true;
    loop_.RequestStop();
    // The episodes are left: nobody needs the answers, and the time is for handing over rows.
    channels_.quick->Close();
    channels_.deepthink->Close();
  }

  RoleProcess& process_;
  Channels& channels_;
  actors::ActorLoop& loop_;
  std::int64_t seen_ = -1;
  std::int64_t felt_ = -1;
  bool stopping_ = false;
};

bool BothTiersAreThere(const std::vector<transport::Member>& members) {
  return !WorkersOf(members, core::Tier::kQuick).empty() &&
         !WorkersOf(members, core::Tier::kDeepthink).empty();
}

// False: asked to end first.
bool WaitForWorkers(RoleProcess& process) {
  using std::chrono::steady_clock;
  const std::chrono::seconds patience = WorkersTimeout(process.config().run);
  const auto deadline = steady_clock::now() + patience;
  while (!process.ShouldStop() && steady_clock::now() < deadline) {
    const auto look_up = steady_clock::now() + process.config().run.heartbeat;  // For a signal.
    if (process.registry().WaitForMembers(
            transport::Role::kInference, look_up, BothTiersAreThere)) {
      return true;
    }
  }
  if (process.ShouldStop()) return false;
  throw core::UnavailableError(
      {.what = "no inference workers",
       .why =
           fmt::format("a worker of each tier was waited for {}", configs::RoughDuration(patience)),
       .fix = "see the logs of inference.quick.0 and inference.deepthink.0 in the run folder"});
}

// False: asked to end before the learner had them.
bool HandOver(RoleProcess& process, const std::vector<core::Transition>& rows) {
  transport::TransitionSinkOptions options{.after =
                                               core::Sequence(rows.front().sequence.value - 1)};
  options.spool.max_rows = std::ssize(rows) + options.spool.flush_rows;
  const auto sink = transport::MakeZmqTransitionSink(process.channels(), options);
  for (const core::Transition& row : rows) (void)sink->Push(row);
  const auto drain_for = [&](core::Duration time) {
    sink->SetEndpoint(EndpointOf(process.registry().Members(transport::Role::kLearner),
                                 transport::kTransitionsEndpoint));
    return sink->Drain(std::chrono::steady_clock::now() + time);
  };
  while (!process.ShouldStop()) {
    if (drain_for(process.config().run.heartbeat)) return true;
    process.registry().Report({});
  }
  return drain_for(process.config().actor.drain);
}

// Empty also where another londi wrote them: they stay on the disk, and the run goes on.
std::vector<core::Transition> ReadOrSetAside(RoleProcess& process,
                                             const std::filesystem::path& file) {
  try {
    return transport::ReadSpoolJournal(file);
  } catch (const core::ProtocolError& error) {
    const std::filesystem::path aside = transport::SetAsideSpoolJournal(file);
    process.basics().logger->warn(
        "{}; set aside as {}, not handed over", error.what(), aside.filename().string());
    process.basics().events.Append("spool_set_aside",
                                   {{"role", process.basics().name}, {"file", aside.string()}});
    return {};
  }
}

// What earlier lives of this actor were killed with, under their names: the learner knows which of
// these rows it has.
void HandOverForEarlierLives(RoleProcess& process) {
  for (const auto& file :
       transport::FindSpoolJournals(process.basics().folder.spool(), process.registry().actor())) {
    const std::vector<core::Transition> rows = ReadOrSetAside(process, file);
    if (!rows.empty() && !HandOver(process, rows)) return;
    std::filesystem::remove(file);  // Where it still is.
    if (rows.empty()) continue;
    process.basics().logger->info("handed over rows {} to {} of incarnation={}",
                                  rows.front().sequence.value,
                                  rows.back().sequence.value,
                                  rows.front().incarnation.value);
    process.basics().events.Append("rows_handed_over",
                                   {{"role", process.basics().name},
                                    {"incarnation", rows.front().incarnation.value},
                                    {"first", rows.front().sequence.value},
                                    {"last", rows.back().sequence.value}});
  }
}

transport::TransitionSinkOptions SinkOptionsOf(RoleProcess& process) {
  if (process.config().transport.spool == transport::SpoolKind::kMemory) return {};
  return {.journal_folder = process.basics().folder.spool()};
}

}  // namespace

int RunActor(const std::filesystem::path& run_folder, int index) {
  RoleProcess process(run_folder,
                      {.name = fmt::format("actor.{}", index),
                       .role = transport::Role::kActor,
                       .actor = core::ActorId(index)},
                      {transport::Role::kInference, transport::Role::kLearner});
  if (!WaitForWorkers(process)) return 0;
  HandOverForEarlierLives(process);
  Channels channels(process.channels(), SinkOptionsOf(process));
  const core::SystemClock clock;
  actors::ActorLoop loop(ActorOptionsOf(process.config()),
                         IdentityOf(process.config(),
                                    process.registry().actor(),
                                    process.registry().session()->incarnation()),
                         {.make_environment = MakeEnvironmentFactory(process.config().environment),
                          .quick = *channels.quick,
                          .deepthink = *channels.deepthink,
                          .sink = *channels.sink,
                          .weights = *channels.weights,
                          .metrics = process.basics().metrics,
                          .logger = process.basics().logger,
                          .clock = clock});

  process.DoWithHeartbeat([&loop] { loop.Run(); }, Heartbeat(process, channels, loop));
  process.registry().Report(Counters(loop.progress()));
  process.registry().Leave();
  return 0;
}

}  // namespace londi::launch
