#include "transport/codec.h"

#include <gtest/gtest.h>

#include "core/budget_meter.h"
#include "tests/support/transport_support.h"
#include "transport/codec_registry.h"

namespace londi::transport {
namespace {

const Session kSender(core::RunId(7), core::Epoch(2), core::Incarnation(9));

std::string_view Body(const std::string& message) {
  return std::string_view(message).substr(kFrameHeaderBytes);
}

TEST(Codec, LmRequestRoundTrips) {
  const core::TimePoint sent = std::chrono::steady_clock::now();
  const core::TimePoint arrived = sent + std::chrono::hours(5);  // The other machine's clock.
  core::LmRequest request = testing::MakeLmRequest(sent + std::chrono::milliseconds(1500));
  request.candidates.push_back("");
  request.terminator = "";

  const std::string message = EncodeLmRequest(kSender, 17, request, sent);
  const LmRequestMessage decoded = DecodeLmRequest(Body(message), arrived);

  EXPECT_EQ(decoded.request_id, 17u);
  EXPECT_EQ(decoded.request.prompt, request.prompt);
  EXPECT_EQ(decoded.request.candidates, request.candidates);
  EXPECT_EQ(decoded.request.terminator, "");
  EXPECT_EQ(decoded.request.session, 5u);
  EXPECT_EQ(decoded.request.deadline, arrived + std::chrono::milliseconds(1500));
}

TEST(Codec, LmRequestKeepsWhatItMayCost) {
  const core::TimePoint now = std::chrono::steady_clock::now();
  core::LmRequest request = testing::MakeLmRequest();
  const auto round_trip = [&] {
    return DecodeLmRequest(Body(EncodeLmRequest(kSender, 1, request, now)), now).request;
  };

  EXPECT_FALSE(round_trip().is_limited());
  request.max_tokens = 0;
  request.max_flops = 7'000'000'000'000;
  EXPECT_EQ(round_trip().max_tokens, 0);
  EXPECT_EQ(round_trip().max_flops, 7'000'000'000'000);
  request.max_tokens = -1;
  EXPECT_THROW(round_trip(), core::ProtocolError);
}

TEST(Codec, LmRequestWithoutDeadlineStaysWithout) {
  const core::TimePoint now = std::chrono::steady_clock::now();
  const std::string message =
      EncodeLmRequest(kSender, 1, testing::MakeLmRequest(core::TimePoint::max()), now);
  EXPECT_EQ(DecodeLmRequest(Body(message), now).request.deadline, core::TimePoint::max());
}

TEST(Codec, LmRequestBeyondTheLimitsIsRefusedAtTheSender) {
  const core::TimePoint now = std::chrono::steady_clock::now();
  core::LmRequest long_prompt = testing::MakeLmRequest();
  long_prompt.prompt.assign(kMaxTextBytes + 1, 'x');
  core::LmRequest many_candidates = testing::MakeLmRequest();
  many_candidates.candidates.assign(kMaxCandidates + 1, "go");

  EXPECT_THROW(EncodeLmRequest(kSender, 1, long_prompt, now), core::ProtocolError);
  EXPECT_THROW(EncodeLmRequest(kSender, 1, many_candidates, now), core::ProtocolError);
}

TEST(Codec, ProposalRoundTrips) {
  const core::Proposal proposal = testing::MakeProposal(3, 2);

  const std::string message = EncodeLmOutcome(kSender, 21, proposal);
  const LmOutcomeMessage decoded = DecodeLmOutcome(MessageType::kLmReply, Body(message));

  EXPECT_EQ(decoded.request_id, 21u);
  const core::Proposal& got = std::get<core::Proposal>(decoded.outcome);
  EXPECT_EQ(got.action, 2);
  EXPECT_EQ(got.log_probs, proposal.log_probs);
  EXPECT_EQ(got.features, proposal.features);
  EXPECT_EQ(got.entropy, proposal.entropy);
  EXPECT_EQ(got.margin, proposal.margin);
  EXPECT_EQ(got.sequence_prob, proposal.sequence_prob);
  EXPECT_EQ(got.usage.computed_tokens, 12);
  EXPECT_EQ(got.usage.flops, 1e9);
  EXPECT_EQ(got.usage.batch_size, 4);
  EXPECT_EQ(got.model, "0123456789abcdef");
}

TEST(Codec, RefusalRoundTrips) {
  const LmRefusal refusal{{"what", "why", "fix"}, Retry::kNever};

  const std::string message = EncodeLmOutcome(kSender, 4, refusal);
  const LmOutcomeMessage decoded = DecodeLmOutcome(MessageType::kLmRefusal, Body(message));

  const LmRefusal& got = std::get<LmRefusal>(decoded.outcome);
  EXPECT_EQ(got.retry, Retry::kNever);
  EXPECT_EQ(got.reason.what, "what");
  EXPECT_EQ(got.reason.why, "why");
  EXPECT_EQ(got.reason.fix, "fix");
}

TEST(Codec, TransitionsRoundTripInEveryField) {
  const TransitionBatch batch{{core::ActorId(3), core::Incarnation(2)}, testing::MakeRows(5, 40)};

  const std::string message = EncodeTransitions(kSender, batch);
  const TransitionBatch decoded = DecodeTransitions(Body(message));

  EXPECT_EQ(decoded.stream, batch.stream);
  ASSERT_EQ(decoded.rows.size(), 40u);
  for (std::size_t i = 0; i < 40; ++i)
    EXPECT_TRUE(testing::SameRow(decoded.rows[i], batch.rows[i])) << i;
}

TEST(Codec, ARowWithAPriceThatNoAnswerHasIsRefused) {
  for (const std::int32_t price : {-1, 0, core::BudgetMeter::kMaxPrice + 1}) {
    core::Transition row = testing::MakeRow(1);
    row.price = price;
    const std::string message = EncodeTransitions(kSender, {{row.actor, row.incarnation}, {row}});
    EXPECT_THROW(DecodeTransitions(Body(message)), core::ProtocolError) << price;
  }
}

TEST(Codec, TransitionsWithoutFeaturesRoundTrip) {
  core::Transition row = testing::MakeRow(1);
  row.features.clear();
  const std::string message = EncodeTransitions(kSender, {{row.actor, row.incarnation}, {row}});
  EXPECT_TRUE(testing::SameRow(DecodeTransitions(Body(message)).rows.at(0), row));
}

TEST(Codec, UnevenBatchesAreRefusedAtTheSender) {
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  core::Transition wide = testing::MakeRow(2);
  wide.features.push_back(0);

  EXPECT_THROW(EncodeTransitions(kSender, {stream, {}}), core::ProtocolError);
  EXPECT_THROW(EncodeTransitions(kSender, {stream, {testing::MakeRow(1), wide}}),
               core::ProtocolError);
  EXPECT_THROW(EncodeTransitions(kSender, {stream, {testing::MakeRow(1), testing::MakeRow(3)}}),
               core::ProtocolError);
}

TEST(Codec, ProbeAndAckRoundTrip) {
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  const std::string probe_message = EncodeSinkProbe(kSender, {stream, 8, core::Sequence(33), true});
  const std::string ack_message =
      EncodeSourceAck(kSender, {stream, core::Sequence(10), core::Sequence(12), 100, 8, true});

  const SinkProbe probe = DecodeSinkProbe(Body(probe_message));
  const SourceAck ack = DecodeSourceAck(Body(ack_message));

  EXPECT_EQ(probe.stream, stream);
  EXPECT_EQ(probe.number, 8);
  EXPECT_EQ(probe.first_held, core::Sequence(33));
  EXPECT_TRUE(probe.draining);
  EXPECT_EQ(ack.stream, stream);
  EXPECT_EQ(ack.stored, core::Sequence(10));
  EXPECT_EQ(ack.received, core::Sequence(12));
  EXPECT_EQ(ack.credits, 100);
  EXPECT_EQ(ack.probe, 8);
  EXPECT_TRUE(ack.gap);
}

TEST(Codec, WeightsRoundTrip) {
  const auto weights = testing::MakeWeights(12);
  weights->arrays.push_back({"scalar", {}, {1.5f}});
  weights->arrays.push_back({"empty", {0, 4}, {}});

  const std::string message = EncodeWeights(kSender, *weights);
  const core::WeightsSnapshot decoded = DecodeWeights(Body(message));

  EXPECT_EQ(decoded.version, core::WeightsVersion(12));
  EXPECT_EQ(decoded.architecture, "dueling_mlp");
  ASSERT_EQ(decoded.arrays.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(decoded.arrays[i].name, weights->arrays[i].name);
    EXPECT_EQ(decoded.arrays[i].shape, weights->arrays[i].shape);
    EXPECT_EQ(decoded.arrays[i].values, weights->arrays[i].values);
  }
}

TEST(Codec, WeightsWhoseShapeDoesNotFitAreRefusedAtTheSender) {
  const auto weights = testing::MakeWeights(1);
  weights->arrays[0].shape = {5, 5};
  EXPECT_THROW(EncodeWeights(kSender, *weights), core::ProtocolError);
}

TEST(Codec, AnnouncementRoundTrips) {
  const std::string message =
      EncodeWeightsAnnouncement(kSender, {core::WeightsVersion(3), ~0ull, 4096});
  const WeightsAnnouncement decoded = DecodeWeightsAnnouncement(Body(message));

  EXPECT_EQ(decoded.version, core::WeightsVersion(3));
  EXPECT_EQ(decoded.hash, ~0ull);
  EXPECT_EQ(decoded.bytes, 4096);
}

Registration SomeRegistration() {
  return {.name = "inference.quick.0",
          .role = Role::kInference,
          .tier = core::Tier::kDeepthink,
          .host = "node7",
          .pid = 4711,
          .endpoints = {{kLmEndpoint, "tcp://127.0.0.1:1234"}, {"other", "tcp://127.0.0.1:1235"}},
          .actor = core::ActorId(4),
          .nonce = ~1ull,
          .incarnation = core::Incarnation(std::int64_t{3} << 32)};
}

void ExpectSame(const Registration& got, const Registration& want) {
  EXPECT_EQ(got.name, want.name);
  EXPECT_EQ(got.role, want.role);
  EXPECT_EQ(got.tier, want.tier);
  EXPECT_EQ(got.host, want.host);
  EXPECT_EQ(got.pid, want.pid);
  EXPECT_EQ(got.endpoints, want.endpoints);
  EXPECT_EQ(got.actor, want.actor);
  EXPECT_EQ(got.nonce, want.nonce);
  EXPECT_EQ(got.incarnation, want.incarnation);
}

TEST(Codec, RegistryMessagesRoundTrip) {
  ExpectSame(DecodeRegister(Body(EncodeRegister(kSender, SomeRegistration()))), SomeRegistration());

  const std::string registered = EncodeRegistered(
      kSender,
      {MemberId(4), core::ActorId(2), core::Incarnation(6), std::chrono::milliseconds(15000), 99});
  EXPECT_EQ(DecodeRegistered(Body(registered)).member, MemberId(4));
  EXPECT_EQ(DecodeRegistered(Body(registered)).lease, std::chrono::milliseconds(15000));
  EXPECT_EQ(DecodeRegistered(Body(registered)).nonce, 99u);

  const std::string renew = EncodeRenew(
      kSender,
      {MemberId(4), {Role::kLearner, Role::kActor}, 5, {{"decisions", 100}, {"negative", -3}}});
  EXPECT_EQ(DecodeRenew(Body(renew)).watched, (std::vector<Role>{Role::kLearner, Role::kActor}));
  EXPECT_EQ(DecodeRenew(Body(renew)).progress,
            (ProgressCounters{{"decisions", 100}, {"negative", -3}}));

  const std::string renewed =
      EncodeRenewed(kSender, {Command::kDrain, 6, true, {{MemberId(8), SomeRegistration()}}});
  const Renewed decoded = DecodeRenewed(Body(renewed));
  EXPECT_EQ(decoded.command, Command::kDrain);
  EXPECT_EQ(decoded.members_version, 6);
  ASSERT_EQ(decoded.members.size(), 1u);
  EXPECT_EQ(decoded.members[0].id, MemberId(8));
  ExpectSame(decoded.members[0].registration, SomeRegistration());

  EXPECT_EQ(DecodeLeave(Body(EncodeLeave(kSender, MemberId(4)))), MemberId(4));
  const std::string refusal =
      EncodeRegistryRefusal(kSender, {RegistryRefusal::Kind::kReplaced, {"what", "why", "fix"}});
  EXPECT_EQ(DecodeRegistryRefusal(Body(refusal)).kind, RegistryRefusal::Kind::kReplaced);
  EXPECT_EQ(DecodeRegistryRefusal(Body(refusal)).reason.fix, "fix");
}

}  // namespace
}  // namespace londi::transport
