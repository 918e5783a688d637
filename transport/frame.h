#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "transport/session.h"

namespace londi::transport {

// Raised whenever a message changes its meaning or its fields; peers of another version are
// refused.
inline constexpr std::uint16_t kProtocolVersion = 6;

enum class MessageType : std::uint16_t {
  kLmRequest = 1,
  kLmReply = 2,
  kLmRefusal = 3,
  kLmCancel = 4,
  kTransitions = 10,
  kSinkProbe = 11,
  kSourceAck = 12,
  kWeightsAnnouncement = 20,
  kWeightsPull = 21,
  kWeights = 22,
  kWeightsNone = 23,
  kRegister = 30,
  kRegistered = 31,
  kRenew = 32,
  kRenewed = 33,
  kLeave = 34,
  kRegistryRefusal = 35,
};

// Every message is one ZeroMQ part: this header, then the body (MessagePack). Little-endian, no
// padding:
//
//   offset  size  field
//        0     4  magic "LOND"
//        4     2  protocol version
//        6     2  type
//        8     8  run id
//       16     8  epoch of the coordinator the sender knows
//       24     8  incarnation of the sender
//       32     4  size of the body
//       36     4  CRC-32C of bytes 0..35 and of the body
//
// Fencing. The run must match everywhere. An older epoch is refused where state is decided
// (registry, weights); rows and LM requests are valid under any epoch of the run, because their
// identity (actor, incarnation, sequence) is.
struct FrameHeader {
  MessageType type{};
  core::RunId run;
  core::Epoch epoch;
  core::Incarnation incarnation;
};

inline constexpr std::size_t kFrameHeaderBytes = 40;

struct Frame {
  FrameHeader header;
  std::string_view body;  // Points into the decoded bytes.
};

// `message` holds kFrameHeaderBytes of room followed by the body; fills the room in.
void FinishFrame(MessageType type, const Session& sender, std::string& message);

// Whether this is a message of another version of londi, and whole.
bool IsForeignFrame(std::string_view message);

// Throws core::ProtocolError: no londi message, another version, another run, torn or corrupted.
Frame DecodeFrame(std::string_view message, core::RunId run);

}  // namespace londi::transport
