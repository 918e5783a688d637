#pragma once

#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/transport_support.h"
#include "transport/codec.h"
#include "transport/codec_registry.h"

namespace londi::testing {

// One kind of message: an example, and its decoder.
struct WireMessage {
  std::string name;
  transport::MessageType type;
  std::string message;
  // Decodes a body and encodes what it said. core::ProtocolError: the body is refused. What a
  // decoder lets through, the encoder must take: both know the same limits.
  std::function<std::string(std::string_view body)> decode;
};

inline void PrintTo(const WireMessage& each, std::ostream* out) { *out << each.name; }

inline const transport::Session& WireSender() {
  static const transport::Session sender(core::RunId(7), core::Epoch(2), core::Incarnation(9));
  return sender;
}

// Every message that carries something.
inline std::vector<WireMessage> WireMessages() {
  using namespace transport;
  const Session& sender = WireSender();
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  const core::TimePoint now = std::chrono::steady_clock::now();
  const Registration registration{
      .name = "actor.3", .host = "node", .endpoints = {{"lm", "tcp://x:1"}}, .nonce = 5};
  const auto outcome = [&sender](MessageType type) {
    return [&sender, type](std::string_view body) {
      const LmOutcomeMessage decoded = DecodeLmOutcome(type, body);
      return EncodeLmOutcome(sender, decoded.request_id, decoded.outcome);
    };
  };
  return {
      {"LmRequest",
       MessageType::kLmRequest,
       EncodeLmRequest(sender, 1, MakeLmRequest(), now),
       [&sender, now](std::string_view body) {
         const LmRequestMessage decoded = DecodeLmRequest(body, now);
         return EncodeLmRequest(sender, decoded.request_id, decoded.request, now);
       }},
      {"LmCancel",
       MessageType::kLmCancel,
       EncodeLmCancel(sender, 300),
       [&sender](std::string_view body) { return EncodeLmCancel(sender, DecodeLmCancel(body)); }},
      {"LmReply",
       MessageType::kLmReply,
       EncodeLmOutcome(sender, 1, MakeProposal(3)),
       outcome(MessageType::kLmReply)},
      {"LmRefusal",
       MessageType::kLmRefusal,
       EncodeLmOutcome(sender, 1, LmRefusal{{"what", "why", "fix"}, Retry::kElsewhere}),
       outcome(MessageType::kLmRefusal)},
      {"Transitions",
       MessageType::kTransitions,
       EncodeTransitions(sender, {stream, MakeRows(1, 5)}),
       [&sender](std::string_view body) {
         return EncodeTransitions(sender, DecodeTransitions(body));
       }},
      {"SinkProbe",
       MessageType::kSinkProbe,
       EncodeSinkProbe(sender, {stream, 1, core::Sequence(1000), true}),
       [&sender](std::string_view body) { return EncodeSinkProbe(sender, DecodeSinkProbe(body)); }},
      {"SourceAck",
       MessageType::kSourceAck,
       EncodeSourceAck(sender, {stream, core::Sequence(900), core::Sequence(1000), 70000, 1, true}),
       [&sender](std::string_view body) { return EncodeSourceAck(sender, DecodeSourceAck(body)); }},
      {"WeightsAnnouncement",
       MessageType::kWeightsAnnouncement,
       EncodeWeightsAnnouncement(sender, {core::WeightsVersion(3), ~0ull, 4096}),
       [&sender](std::string_view body) {
         return EncodeWeightsAnnouncement(sender, DecodeWeightsAnnouncement(body));
       }},
      {"Weights",
       MessageType::kWeights,
       EncodeWeights(sender, *MakeWeights(1)),
       [&sender](std::string_view body) { return EncodeWeights(sender, DecodeWeights(body)); }},
      {"Register",
       MessageType::kRegister,
       EncodeRegister(sender, registration),
       [&sender](std::string_view body) { return EncodeRegister(sender, DecodeRegister(body)); }},
      {"Registered",
       MessageType::kRegistered,
       EncodeRegistered(sender,
                        {MemberId(1),
                         core::ActorId(1),
                         core::Incarnation(1),
                         std::chrono::milliseconds(1000),
                         5}),
       [&sender](std::string_view body) {
         return EncodeRegistered(sender, DecodeRegistered(body));
       }},
      {"Renew",
       MessageType::kRenew,
       EncodeRenew(sender, {MemberId(1), {Role::kActor}, 3, {{"decisions", 5}}}),
       [&sender](std::string_view body) { return EncodeRenew(sender, DecodeRenew(body)); }},
      {"Renewed",
       MessageType::kRenewed,
       EncodeRenewed(sender, {Command::kNone, 3, true, {{MemberId(1), registration}}}),
       [&sender](std::string_view body) { return EncodeRenewed(sender, DecodeRenewed(body)); }},
      {"Leave",
       MessageType::kLeave,
       EncodeLeave(sender, MemberId(70000)),
       [&sender](std::string_view body) { return EncodeLeave(sender, DecodeLeave(body)); }},
      {"RegistryRefusal",
       MessageType::kRegistryRefusal,
       EncodeRegistryRefusal(sender, {RegistryRefusal::Kind::kUnknown, {"what", "why", "fix"}}),
       [&sender](std::string_view body) {
         return EncodeRegistryRefusal(sender, DecodeRegistryRefusal(body));
       }},
  };
}

}  // namespace londi::testing
