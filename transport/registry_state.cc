#include "transport/registry_state.h"

#include <algorithm>
#include <utility>

#include "core/error.h"

namespace londi::transport {
namespace {

RegistryRefusal Invalid(std::string what, std::string why, std::string fix) {
  return {.kind = RegistryRefusal::Kind::kInvalid,
          .reason = {.what = std::move(what), .why = std::move(why), .fix = std::move(fix)}};
}

RegistryRefusal Replaced() {
  return {.kind = RegistryRefusal::Kind::kReplaced,
          .reason = {.what = "this process is not a member of the run any more",
                     .why = "a newer process took its place.",
                     .fix = "let it end"}};
}

RegistryRefusal Unknown() {
  return {.kind = RegistryRefusal::Kind::kUnknown,
          .reason = {.what = "a lease cannot be renewed",
                     .why = "it expired, or the epoch is over.",
                     .fix = "register again"}};
}

bool Watches(const std::vector<Role>& watched, Role role) {
  return std::ranges::find(watched, role) != watched.end();
}

}  // namespace

const char* RoleName(Role role) {
  switch (role) {
    case Role::kInference:
      return "inference";
    case Role::kActor:
      return "actor";
    case Role::kLearner:
      break;
  }
  return "learner";
}

const char* RegistryEventName(RegistryEvent::Kind kind) {
  switch (kind) {
    case RegistryEvent::Kind::kJoined:
      return "joined";
    case RegistryEvent::Kind::kLeft:
      return "left";
    case RegistryEvent::Kind::kExpired:
      return "expired";
    case RegistryEvent::Kind::kReplaced:
      break;
  }
  return "replaced";
}

void RegistryOptions::Validate() const {
  if (lease.count() > 0 && startup_lease >= lease && max_members > 0) return;
  throw core::ConfigError(
      {.what = "a lease of " + std::to_string(lease.count()) + " ms",
       .why = "leases are positive, and the first one is not shorter than the others.",
       .fix = "set 0 < lease <= startup_lease"});
}

RegistryState::RegistryState(core::Epoch epoch, RegistryOptions options)
    : epoch_(epoch), options_(options) {
  options_.Validate();
}

std::variant<Registered, RegistryRefusal> RegistryState::Register(const Registration& registration,
                                                                  core::TimePoint now) {
  if (auto refusal = CheckRegistration(registration)) return *refusal;
  const auto holder = by_name_.find(registration.name);
  auto seat = holder == by_name_.end() ? seats_.end() : seats_.find(holder->second);

  if (seat != seats_.end() && seat->second.status.member.registration.nonce == registration.nonce) {
    Registration& known = seat->second.status.member.registration;
    if (known.endpoints != registration.endpoints) {
      known.endpoints = registration.endpoints;
      NoteChange(registration.role);
    }
  } else {
    if (seat != seats_.end()) {
      replaced_.insert(seat->first);
      Remove(seat, RegistryEvent::Kind::kReplaced);
    }
    Member member{MemberId(++last_member_), registration};
    member.registration.incarnation = GrantIncarnation(registration);
    if (registration.role == Role::kActor) member.registration.actor = GrantActor(registration);
    last_incarnation_[registration.name] = member.registration.incarnation;
    by_name_[registration.name] = member.id;
    const MemberStatus status{.member = member,
                              .progress = {},
                              .renewed_at = now,
                              .progressed_at = now,
                              .works = false,
                              .command = commands_[registration.role]};
    seat = seats_.emplace(member.id, Seat{status, now + options_.startup_lease}).first;
    NoteChange(registration.role);
    events_.push_back({RegistryEvent::Kind::kJoined, member});
  }

  const Member& member = seat->second.status.member;
  return Registered{.member = member.id,
                    .actor = member.registration.actor.value_or(core::ActorId(0)),
                    .incarnation = member.registration.incarnation,
                    .lease = options_.lease,
                    .nonce = registration.nonce};
}

std::optional<RegistryRefusal> RegistryState::CheckRegistration(
    const Registration& registration) const {
  if (registration.name.empty()) {
    return Invalid("a registration without a name",
                   "restarts are recognised by the name.",
                   "give the process a name");
  }
  if (registration.incarnation >= FirstIncarnation(core::Epoch(epoch_.value + 1))) {
    return Invalid(
        "a registration with incarnation " + std::to_string(registration.incarnation.value),
        "no coordinator of this run has given it yet.",
        "start the process again");
  }
  const auto last = last_incarnation_.find(registration.name);
  if (registration.incarnation.value != 0 && last != last_incarnation_.end() &&
      registration.incarnation < last->second) {
    return Replaced();
  }
  if (seats_.size() >= options_.max_members && by_name_.count(registration.name) == 0) {
    return Invalid("the run is full",
                   std::to_string(seats_.size()) + " processes are registered.",
                   "start fewer processes");
  }
  if (registration.role != Role::kActor || !registration.actor) return std::nullopt;
  for (const auto& [id, seat] : seats_) {
    const Registration& other = seat.status.member.registration;
    if (other.role == Role::kActor && other.actor == registration.actor &&
        other.name != registration.name) {
      return Invalid("actor " + std::to_string(registration.actor->value) + " is taken",
                     "the process " + other.name + " has this number.",
                     "give every actor its own number");
    }
  }
  return std::nullopt;
}

core::Incarnation RegistryState::GrantIncarnation(const Registration& registration) {
  // A process that this coordinator or an earlier one knew goes on with what it was given.
  if (registration.incarnation.value != 0) return registration.incarnation;
  const core::Incarnation last = last_incarnation_[registration.name];
  return std::max(core::Incarnation(last.value + 1), FirstIncarnation(epoch_));
}

core::ActorId RegistryState::GrantActor(const Registration& registration) const {
  if (registration.actor) return *registration.actor;
  std::int64_t free = 0;
  std::vector<std::int64_t> taken;
  for (const auto& [id, seat] : seats_) {
    if (const auto actor = seat.status.member.registration.actor) taken.push_back(actor->value);
  }
  std::sort(taken.begin(), taken.end());
  for (const std::int64_t actor : taken) free += actor == free ? 1 : 0;
  return core::ActorId(free);
}

std::variant<Renewed, RegistryRefusal> RegistryState::Renew(const Renewal& renewal,
                                                            core::TimePoint now) {
  const auto found = seats_.find(renewal.member);
  if (found == seats_.end()) {
    if (replaced_.count(renewal.member) > 0) return Replaced();
    return Unknown();
  }
  Seat& seat = found->second;
  if (seat.status.progress != renewal.progress) seat.status.progressed_at = now;
  seat.status.progress = renewal.progress;
  seat.status.renewed_at = now;
  seat.status.works = true;
  seat.expires_at = now + options_.lease;

  seat.watched = renewal.watched;
  seat.told_version = renewal.members_version;
  return Tell(seat);
}

Renewed RegistryState::Tell(Seat& seat) {
  Renewed renewed{.command = seat.status.command,
                  .members_version = members_version_,
                  .has_members = seat.told_version != members_version_};
  seat.told_version = members_version_;
  if (!renewed.has_members) return renewed;
  for (const auto& [id, other] : seats_) {
    if (Watches(seat.watched, other.status.member.registration.role))
      renewed.members.push_back(other.status.member);
  }
  return renewed;
}

std::vector<std::pair<MemberId, Renewed>> RegistryState::TakeNews() {
  std::vector<std::pair<MemberId, Renewed>> news;
  for (auto& [id, seat] : seats_) {
    // Clang 14 captures no structured binding by itself.
    const bool is_news = std::ranges::any_of(seat.watched, [this, &seat = seat](Role role) {
      return changed_version_[role] > seat.told_version;
    });
    if (is_news) news.emplace_back(id, Tell(seat));
  }
  return news;
}

void RegistryState::NoteChange(Role role) { changed_version_[role] = ++members_version_; }

void RegistryState::Leave(MemberId member) {
  if (const auto seat = seats_.find(member); seat != seats_.end())
    Remove(seat, RegistryEvent::Kind::kLeft);
}

void RegistryState::Expire(core::TimePoint now) {
  for (auto seat = seats_.begin(); seat != seats_.end();) {
    const auto current = seat++;
    if (current->second.expires_at <= now) Remove(current, RegistryEvent::Kind::kExpired);
  }
}

void RegistryState::Remove(std::map<MemberId, Seat>::iterator seat, RegistryEvent::Kind kind) {
  const Registration& registration = seat->second.status.member.registration;
  events_.push_back({kind, seat->second.status.member, seat->second.status.progress});
  by_name_.erase(registration.name);
  NoteChange(registration.role);
  seats_.erase(seat);
}

std::optional<core::TimePoint> RegistryState::NextExpiry() const {
  std::optional<core::TimePoint> next;
  for (const auto& [id, seat] : seats_) {
    if (!next || seat.expires_at < *next) next = seat.expires_at;
  }
  return next;
}

void RegistryState::SetCommand(Command command, std::optional<Role> role) {
  for (const Role each : {Role::kInference, Role::kActor, Role::kLearner}) {
    if (!role || *role == each) commands_[each] = std::max(commands_[each], command);
  }
  for (auto& [id, seat] : seats_) {
    seat.status.command =
        std::max(seat.status.command, commands_[seat.status.member.registration.role]);
  }
}

std::vector<MemberStatus> RegistryState::Members() const {
  std::vector<MemberStatus> members;
  for (const auto& [id, seat] : seats_) members.push_back(seat.status);
  return members;
}

std::vector<RegistryEvent> RegistryState::TakeEvents() { return std::exchange(events_, {}); }

}  // namespace londi::transport
