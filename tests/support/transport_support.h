#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/half.h"
#include "core/transition.h"
#include "transport/channel.h"
#include "transport/channel_context.h"

namespace londi::testing {

inline core::TimePoint In(core::Duration time) { return std::chrono::steady_clock::now() + time; }
// Long enough for a loaded machine under a sanitizer, short enough to fail before ctest kills the
// test.
inline core::TimePoint Soon() { return In(std::chrono::seconds(20)); }

// Whether `call` throws one in time.
template <typename Error, typename Call>
bool ThrowsSoon(const Call& call) {
  for (const core::TimePoint deadline = Soon(); std::chrono::steady_clock::now() < deadline;) {
    try {
      call();
    } catch (const Error&) {
      return true;
    }
    std::this_thread::yield();
  }
  return false;
}

// The keys of the test's run.
inline const transport::RunKeys& TestKeys() {
  static const transport::RunKeys keys = transport::MakeRunKeys();
  return keys;
}

// A process's worth of transport: sockets, identity, metrics.
struct FakeProcess {
  explicit FakeProcess(std::int64_t incarnation = 1, std::int64_t run = 7, std::int64_t epoch = 1)
      : FakeProcess(TestKeys(), incarnation, run, epoch) {}
  explicit FakeProcess(const std::optional<transport::RunKeys>& keys,
                       std::int64_t incarnation = 1,
                       std::int64_t run = 7,
                       std::int64_t epoch = 1)
      : sockets(keys, metrics, logger),
        session(std::make_shared<transport::Session>(
            core::RunId(run), core::Epoch(epoch), core::Incarnation(incarnation))) {}

  transport::ChannelContext context() { return {sockets, session, metrics, logger, "127.0.0.1"}; }

  monitor::Metrics metrics;
  monitor::Logger logger = monitor::MakeNullLogger();
  transport::Sockets sockets;
  transport::SharedSession session;
};

// A row whose every field differs from its default and follows from `sequence`.
inline core::Transition MakeRow(std::int64_t sequence,
                                std::int64_t actor = 3,
                                std::int64_t incarnation = 2,
                                std::size_t num_features = 4) {
  core::Transition row;
  row.actor = core::ActorId(actor);
  row.incarnation = core::Incarnation(incarnation);
  row.sequence = core::Sequence(sequence);
  row.episode = core::EpisodeId(sequence / 10 + 1);
  row.step = static_cast<std::int32_t>(sequence % 10);
  row.steps_left = 64 - row.step;
  for (std::size_t i = 0; i < num_features; ++i) {
    row.features.push_back(
        core::FloatToHalf(0.5f * static_cast<float>(sequence % 100) + static_cast<float>(i)));
  }
  row.quick_action = static_cast<std::int16_t>(sequence % 6);
  row.deepthink_action = static_cast<std::int16_t>(sequence % 7 - 1);
  row.activated = sequence % 2 == 1;
  row.behaviour_prob = 0.25f;
  row.may_activate = sequence % 3 != 0;
  row.reward = 0.125f * static_cast<float>(sequence % 8);
  row.cost = 0.05f;
  row.remaining = static_cast<std::int32_t>(sequence % 5);
  row.terminated = sequence % 10 == 9;
  row.truncated = sequence % 11 == 0;
  row.price = 30 + static_cast<std::int32_t>(sequence % 7);
  row.tokens = 100 + static_cast<std::int32_t>(sequence % 50);
  row.gflops = 1.5f;
  row.milliseconds = 2.25f;
  if (sequence % 4 == 1) row.gain = {0.25f * static_cast<float>(sequence % 9), -3.5f};
  row.reference = -0.5f + 0.25f * static_cast<float>(sequence % 6);
  row.weights = core::WeightsVersion(sequence / 100);
  row.quick_model = 0x1122334455667788u;
  row.deepthink_model = 0x99aabbccddeeff00u;
  return row;
}

inline std::vector<core::Transition> MakeRows(std::int64_t first,
                                              std::int64_t count,
                                              std::int64_t actor = 3,
                                              std::int64_t incarnation = 2) {
  std::vector<core::Transition> rows;
  for (std::int64_t i = 0; i < count; ++i) rows.push_back(MakeRow(first + i, actor, incarnation));
  return rows;
}

inline bool SameRow(const core::Transition& a, const core::Transition& b) {
  const auto key = [](const core::Transition& r) {
    return std::tie(r.actor,
                    r.incarnation,
                    r.sequence,
                    r.episode,
                    r.step,
                    r.steps_left,
                    r.features,
                    r.quick_action,
                    r.deepthink_action,
                    r.activated,
                    r.behaviour_prob,
                    r.may_activate,
                    r.reward,
                    r.cost,
                    r.remaining,
                    r.price,
                    r.terminated,
                    r.truncated,
                    r.tokens,
                    r.gflops,
                    r.milliseconds,
                    r.gain,
                    r.reference,
                    r.weights,
                    r.quick_model,
                    r.deepthink_model);
  };
  return key(a) == key(b);
}

inline core::LmRequest MakeLmRequest(core::TimePoint deadline = Soon()) {
  core::LmRequest request;
  request.prompt = "Goal: go to the red ball\nAction:";
  request.candidates = {" go forward", " turn left", " turn right"};
  request.session = 5;
  request.deadline = deadline;
  return request;
}

// What a worker would answer: candidate `best` wins.
inline core::Proposal MakeProposal(std::size_t num_candidates, std::size_t best = 1) {
  core::Proposal proposal;
  proposal.log_probs.assign(num_candidates, -3.0f);
  proposal.log_probs[best] = -0.5f;
  proposal.features = {0.5f, -1.25f, 2.0f};  // Exact in fp16.
  core::SummarizeLogProbs(proposal);
  proposal.usage = {.prompt_tokens = 90,
                    .computed_tokens = 12,
                    .candidate_tokens = 6,
                    .flops = 1e9,
                    .queue_ms = 0.5,
                    .compute_ms = 1.5,
                    .batch_size = 4};
  proposal.model = "0123456789abcdef";
  return proposal;
}

inline std::shared_ptr<core::WeightsSnapshot> MakeWeights(std::int64_t version,
                                                          std::size_t size = 6) {
  auto weights = std::make_shared<core::WeightsSnapshot>();
  weights->version = core::WeightsVersion(version);
  weights->architecture = "dueling_mlp";
  std::vector<float> values(size, static_cast<float>(version));
  weights->arrays.push_back({"trunk.0.weight", {static_cast<std::int64_t>(size) / 2, 2}, values});
  weights->arrays.push_back({"trunk.0.bias", {2}, {0.5f, -0.5f}});
  return weights;
}

}  // namespace londi::testing
