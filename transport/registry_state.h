#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "transport/codec_registry.h"
#include "transport/registry_types.h"

namespace londi::transport {

struct RegistryOptions {
  std::chrono::milliseconds lease{15'000};  // A member that does not renew for this long is dead.
  std::chrono::milliseconds startup_lease{
      300'000};  // Until its first renewal (models take time to load).
  std::size_t max_members = 1 << 16;
  void Validate() const;  // Throws core::ConfigError.
};

// A member as the coordinator sees it.
struct MemberStatus {
  Member member;
  ProgressCounters progress;
  core::TimePoint renewed_at;
  core::TimePoint progressed_at;  // When a counter last changed.
  bool works = false;             // Has renewed its lease at least once.
  Command command = Command::kNone;
};

struct RegistryEvent {
  enum class Kind : std::uint8_t { kJoined, kLeft, kExpired, kReplaced };
  Kind kind;
  Member member;
  ProgressCounters progress{};  // What it had reported when it went.
};
const char* RegistryEventName(RegistryEvent::Kind kind);  // "joined", "left", "expired", "replaced"

// Who belongs to the run. Pure (time comes in as an argument), not thread-safe.
//
// A name has one holder: a registration with another nonce replaces the holder, who is refused from
// then on. Incarnations are given as FirstIncarnation says; a process that registers again under a
// new epoch keeps the one it was given, unless the name went on without it.
class RegistryState {
 public:
  RegistryState(core::Epoch epoch, RegistryOptions options);

  core::Epoch epoch() const { return epoch_; }

  // Repeating a registration (same name and nonce) updates its endpoints.
  std::variant<Registered, RegistryRefusal> Register(const Registration& registration,
                                                     core::TimePoint now);
  std::variant<Renewed, RegistryRefusal> Renew(const Renewal& renewal, core::TimePoint now);
  void Leave(MemberId member);

  // What members would be told if they renewed now, for those whose watched roles have changed
  // since they were told last. Whoever has not renewed yet is not known to watch.
  std::vector<std::pair<MemberId, Renewed>> TakeNews();

  // Removes the members whose lease is over at `now`.
  void Expire(core::TimePoint now);
  std::optional<core::TimePoint> NextExpiry() const;

  // Tells the members (of one role) what to do, later ones too. Commands only rise.
  void SetCommand(Command command, std::optional<Role> role = std::nullopt);

  bool Has(MemberId member) const { return seats_.contains(member); }
  // Ordered by id.
  std::vector<MemberStatus> Members() const;
  std::int64_t members_version() const { return members_version_; }

  // What happened since the last call, in order.
  std::vector<RegistryEvent> TakeEvents();

 private:
  struct Seat {
    MemberStatus status;
    core::TimePoint expires_at;
    std::vector<Role> watched{};    // As it said last,
    std::int64_t told_version = 0;  // and of which members it has heard.
  };

  std::optional<RegistryRefusal> CheckRegistration(const Registration& registration) const;
  core::Incarnation GrantIncarnation(const Registration& registration);
  core::ActorId GrantActor(const Registration& registration) const;
  void Remove(std::map<MemberId, Seat>::iterator seat, RegistryEvent::Kind kind);
  void NoteChange(Role role);
  Renewed Tell(Seat& seat);

  const core::Epoch epoch_;
  const RegistryOptions options_;
  std::map<MemberId, Seat> seats_;
  std::map<std::string, MemberId> by_name_;
  std::map<std::string, core::Incarnation>
      last_incarnation_;         // By name, of all who ever registered.
  std::set<MemberId> replaced_;  // Former holders of a name.
  std::map<Role, Command> commands_;
  std::vector<RegistryEvent> events_;
  std::int64_t last_member_ = 0;
  std::int64_t members_version_ = 1;
  std::map<Role, std::int64_t> changed_version_;  // Of the last change of a role's members.
};

}  // namespace londi::transport
