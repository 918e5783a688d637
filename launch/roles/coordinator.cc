#include <spdlog/spdlog.h>

#include <string>

#include "launch/lost_members.h"
#include "launch/progress_totals.h"
#include "launch/roles/role_process.h"
#include "launch/roles/roles.h"
#include "transport/registry_server.h"
#include "transport/rendezvous.h"

namespace londi::launch {
namespace {

void RecordEvents(transport::RegistryServer& registry, RoleBasics& basics, LostMembers& lost) {
  for (const transport::RegistryEvent& event : registry.TakeEvents()) {
    const transport::Registration& who = event.member.registration;
    const char* kind = transport::RegistryEventName(event.kind);
    basics.logger->info("{} {} (pid={})", who.name, kind, who.pid);
    basics.events.Append(
        std::string("member_") + kind,
        {{"name", who.name}, {"pid", who.pid}, {"incarnation", who.incarnation.value}});
    lost.Note(event, std::chrono::steady_clock::now());
  }
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
                                                      {.lease = basics.config.run.lease});
  ProgressTotals totals = ReadTotals(basics.folder);
  transport::WriteRendezvous(
      basics.folder.rendezvous(),
      {.endpoint = registry->endpoint(), .run = state.run, .epoch = state.epoch});
  basics.events.Append("epoch_raised", {{"epoch", state.epoch.value}});
  basics.logger->info(
      "run={} epoch={} at {}", state.run.value, state.epoch.value, registry->endpoint());

  LostMembers lost(basics.config.run.lease);  // Once more as long as a lease.
  LostMembers::Pids known_lost;
  WriteLostMembers(basics.folder.lost_members(), known_lost);
  const auto record = [&] {
    RecordEvents(*registry, basics, lost);
    const auto now_lost = lost.At(std::chrono::steady_clock::now());
    if (now_lost != known_lost) WriteLostMembers(basics.folder.lost_members(), now_lost);
    known_lost = now_lost;
    for (const transport::MemberStatus& member : registry->Members()) {
      totals.Update(
          member.member.registration.name, member.member.registration.incarnation, member.progress);
    }
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
