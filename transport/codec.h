#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "transport/channel.h"
#include "transport/frame.h"
#include "transport/lm_request_queue.h"

// Core types <-> messages. Encode* gives a whole message (frame.h), Decode* takes the body of one
// whose frame was checked. Rows travel as columns, arrays as MessagePack `bin` of little-endian
// elements.
//
// Decode* trusts nothing: every length is checked against the bytes that are there and the limits
// below before anything is allocated; whatever does not fit throws core::ProtocolError. Encode*
// throws it too when a limit is exceeded, so that the side at fault hears of it.
namespace londi::transport {

inline constexpr std::size_t kMaxCandidates = 4096;
inline constexpr std::size_t kMaxTextBytes = 1 << 20;  // Of a prompt, a candidate, an error text.
inline constexpr std::size_t kMaxNameBytes = 256;      // Of names, hashes, endpoints.
inline constexpr std::size_t kMaxFeatures = 1 << 16;
inline constexpr std::size_t kMaxRows = 4096;               // Rows of one batch.
inline constexpr std::size_t kMaxArrays = 4096;             // Of one set of weights.
inline constexpr std::size_t kMaxArrayElements = 1 << 24;   // Of one array of weights.
inline constexpr std::int64_t kMaxMessageBytes = 64 << 20;  // Sockets refuse anything larger.

// --- LM requests. `request_id` is the client's; unique per connection.
// ---------------------------------------------

// Clocks of two machines differ, so a deadline travels as the time left at `now`.
std::string EncodeLmRequest(const Session& sender,
                            std::uint64_t request_id,
                            const core::LmRequest& request,
                            core::TimePoint now);
std::string EncodeLmCancel(const Session& sender, std::uint64_t request_id);
// A kLmReply (features as fp16, log-probabilities as fp32) or a kLmRefusal.
std::string EncodeLmOutcome(const Session& sender,
                            std::uint64_t request_id,
                            const LmOutcome& outcome);

struct LmRequestMessage {
  std::uint64_t request_id = 0;
  core::LmRequest request;
};
struct LmOutcomeMessage {
  std::uint64_t request_id = 0;
  LmOutcome outcome;
};
LmRequestMessage DecodeLmRequest(std::string_view body, core::TimePoint now);
std::uint64_t DecodeLmCancel(std::string_view body);
LmOutcomeMessage DecodeLmOutcome(MessageType type, std::string_view body);

// --- transitions
// ----------------------------------------------------------------------------------------------------

// Rows of one stream, consecutive sequences, all with the same number of features.
std::string EncodeTransitions(const Session& sender, const TransitionBatch& batch);
TransitionBatch DecodeTransitions(std::string_view body);

// The sink asks how far the source has come.
struct SinkProbe {
  StreamId stream;
  std::int64_t number = 0;    // Echoed by the answer.
  core::Sequence first_held;  // The oldest row the sink can still send.
  bool draining = false;      // TransitionSink::StartDraining.
};
std::string EncodeSinkProbe(const Session& sender, const SinkProbe& probe);
SinkProbe DecodeSinkProbe(std::string_view body);

struct SourceAck {
  StreamId stream;
  core::Sequence stored;     // The sink may forget rows up to here.
  core::Sequence received;   // The source has seen rows up to here.
  std::int64_t credits = 0;  // Rows beyond `stored` that may be under way.
  std::int64_t probe = 0;    // The probe this answers; 0: none.
  bool gap =
      false;  // A batch was ignored because rows before it are missing: probe, then send again.
};
std::string EncodeSourceAck(const Session& sender, const SourceAck& ack);
SourceAck DecodeSourceAck(std::string_view body);

// --- weights
// --------------------------------------------------------------------------------------------------------

// Fixed-size note that there are new weights. `hash` is ContentHash of the weights' message body.
struct WeightsAnnouncement {
  core::WeightsVersion version;
  std::uint64_t hash = 0;
  std::int64_t bytes = 0;
};
std::string EncodeWeightsAnnouncement(const Session& sender,
                                      const WeightsAnnouncement& announcement);
WeightsAnnouncement DecodeWeightsAnnouncement(std::string_view body);

std::string EncodeWeights(const Session& sender, const core::WeightsSnapshot& weights);
core::WeightsSnapshot DecodeWeights(std::string_view body);

// Messages without content: kWeightsPull, kWeightsNone.
std::string EncodeEmpty(const Session& sender, MessageType type);

// FNV-1a, 64 bits.
std::uint64_t ContentHash(std::string_view bytes);

}  // namespace londi::transport
