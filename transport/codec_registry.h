#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "transport/frame.h"
#include "transport/registry_types.h"

// The registry's messages; the rules of codec.h hold. The coordinator's epoch travels in every
// header.
namespace londi::transport {

std::string EncodeRegister(const Session& sender, const Registration& registration);
Registration DecodeRegister(std::string_view body);

// Answer to kRegister.
struct Registered {
  MemberId member;
  core::ActorId actor;            // 0 for roles without one.
  core::Incarnation incarnation;  // Newer than that of any earlier holder of the name.
  std::chrono::milliseconds lease{0};
  std::uint64_t nonce = 0;  // Of the registration this answers.
};
std::string EncodeRegistered(const Session& sender, const Registered& registered);
Registered DecodeRegistered(std::string_view body);

// A member extends its lease and says how far its work has come.
struct Renewal {
  MemberId member;
  std::vector<Role> watched;         // Roles whose members it wants to know.
  std::int64_t members_version = 0;  // The last list it got.
  ProgressCounters progress;
};
std::string EncodeRenew(const Session& sender, const Renewal& renewal);
Renewal DecodeRenew(std::string_view body);

struct Renewed {
  Command command = Command::kNone;
  std::int64_t members_version = 0;
  bool has_members = false;  // False: nothing changed since the version in the renewal.
  std::vector<Member> members;
};
std::string EncodeRenewed(const Session& sender, const Renewed& renewed);
Renewed DecodeRenewed(std::string_view body);

std::string EncodeLeave(const Session& sender, MemberId member);
MemberId DecodeLeave(std::string_view body);

struct RegistryRefusal {
  enum class Kind : std::uint8_t {
    kUnknown = 0,   // Lease expired or the epoch is over: register again.
    kReplaced = 1,  // A newer process has this name: stop.
    kInvalid = 2,   // The registration itself is wrong: stop with this error.
  };
  Kind kind = Kind::kUnknown;
  core::ErrorText reason;
};
std::string EncodeRegistryRefusal(const Session& sender, const RegistryRefusal& refusal);
RegistryRefusal DecodeRegistryRefusal(std::string_view body);

}  // namespace londi::transport
