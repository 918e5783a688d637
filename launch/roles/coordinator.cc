#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "launch/member_health.h"
#include "launch/progress_totals.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "transport/registry_server.h"
#include "transport/rendezvous.h"

namespace londi::launch {
namespace {

transport::RegistryOptions RegistryOptionsOf(const configs::RunConfig& config) {
  return {
      .lease = config.run.lease,
      .startup_lease = std::max<std::chrono::milliseconds>(config.run.startup, config.run.lease)};
}

void RecordEvents(transport::RegistryServer& registry,
                  RoleBasics& basics,
                  LostMembers& lost,
                  ProgressTotals& totals) {
  for (const transport::RegistryEvent& event : registry.TakeEvents()) {
    const transport::Registration& who = event.member.registration;
    const char* kind = transport::RegistryEventName(event.kind);
    basics.logger->info("{} {} (pid={})", who.name, kind, who.pid);
    basics.events.Append(
        std::string("member_") + kind,
        {{"name", who.name}, {"pid", who.pid}, {"incarnation", who.incarnation.value}});
    lost.Note(event, std::chrono::steady_clock::now());
    totals.Update(who.name, who.incarnation, event.progress);
  }
}

// Who worked when the coordinator before this one died: one that hangs will not say so itself.
LostMembers::Pids MembersBefore(const RoleBasics& basics) {
  LostMembers::Pids members = ReadMemberHealth(basics.folder.members()).working;
  members.erase(basics.name);
  return members;
}

}  // namespace

int RunCoordinator(const std::filesystem::path& run_folder) {
  RoleBasics basics(run_folder, "coordinator");
  const transport::CoordinatorState state =
      transport::BeginEpoch(basics.folder.coordinator_state());
  const auto session = std::make_shared<transport::Session>(
      state.run, state.epoch, core::Incarnation(state.epoch.value));
  const auto registry = transport::MakeRegistryServer({.sockets = basics.sockets,
                                                       .session = session,
                                                       .metrics = basics.metrics,
                                                       .logger = basics.logger,
                                                       .host = basics.config.run.interface},
                                                      RegistryOptionsOf(basics.config));
  ProgressTotals totals = ReadTotals(basics.folder);
  transport::WriteRendezvous(
      basics.folder.rendezvous(),
      {.endpoint = registry->endpoint(), .run = state.run, .epoch = state.epoch});
  basics.events.Append("epoch_raised", {{"epoch", state.epoch.value}});
  basics.logger->info(
      "run={} epoch={} at {}", state.run.value, state.epoch.value, registry->endpoint());

  LostMembers lost(basics.config.run.lease);  // Once more as long as a lease.
  lost.Expect(MembersBefore(basics), basics.config.run.lease, std::chrono::steady_clock::now());
  MemberHealth known_health;
  const auto record = [&] {
    RecordEvents(*registry, basics, lost, totals);
    MemberHealth health{.working = {{basics.name, getpid()}},
                        .lost = lost.At(std::chrono::steady_clock::now())};
    for (const transport::MemberStatus& member : registry->Members()) {
      const transport::Registration& who = member.member.registration;
      totals.Update(who.name, who.incarnation, member.progress);
      if (member.works) health.working[who.name] = who.pid;
    }
    if (health != known_health) WriteMemberHealth(basics.folder.members(), health);
    known_health = std::move(health);
    WriteFileAtomically(basics.folder.progress(), totals.ToJson());
  };
  while (basics.signals.num_stop_requests() == 0) {
    record();
    basics.signals.WaitUntil(std::chrono::steady_clock::now() + basics.config.run.heartbeat);
  }
  record();
  return 0;
}

}  // namespace londi::launch
