#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.h"
#include "inference/batching_policy.h"
#include "inference/lm_scorer.h"
#include "monitor/log.h"
#include "monitor/metrics.h"
#include "transport/channel.h"

namespace londi::inference {

struct ServerOptions {
  BatchingOptions batching;
  std::int32_t threads = 1;                // Of the forward pass, >= 1.
  std::chrono::milliseconds drain{5'000};  // After a stop: what was received is answered by then.
  std::string tier = "quick";              // Label of the metrics.
  void Validate() const;                   // Throws core::ConfigError.
};

// Sums since the start, for heartbeats.
struct ServerProgress {
  std::int64_t answered = 0;
  std::int64_t batches = 0;
  std::int64_t tokens = 0;  // Computed.
};

// An LM worker: takes requests from its channel, computes them in batches, answers. One thread does
// all of it, because the forward pass wants the whole CPU or GPU anyway:
//
//   1 Take in what waits (tokenize; refuse what is wrong or too much)
//   2 Choose a batch (drop what was cancelled or has expired, refuse what needs more than it may)
//   3 One forward pass  4 Answer
class InferenceServer {
 public:
  struct Parts {  // All outlive the server.
    transport::LmServerChannel& channel;
    LmScorer& scorer;
    monitor::Metrics& metrics;
    monitor::Logger logger;
    const core::Clock& clock;
    // Called by Run often, between batches and within them; may be empty.
    std::function<void()> on_progress;
  };
  InferenceServer(ServerOptions options, Parts parts);

  // Serves until RequestStop or until the channel is closed, then closes the channel, answers what
  // it has received, and returns. When the model fails, the open requests are refused (another
  // worker may take them) and the exception is thrown.
  void Run();

  void RequestStop() { stopping_ = true; }  // Any thread, signal handlers included.

  ServerProgress progress() const;  // Any thread.

 private:
  struct Waiting {
    transport::IncomingLmRequest incoming;
    PreparedRequest prepared;
  };
  struct Instruments;

  void TakeIn(core::TimePoint deadline);
  void Admit(transport::IncomingLmRequest incoming);
  void ServeBatch();
  std::vector<Waiting> TakeBatch();
  void RefuseTooDear(std::vector<Waiting>& batch);
  void Answer(const std::vector<Waiting>& batch,
              std::vector<core::Proposal> proposals,
              core::TimePoint begun);
  void Drain();
  void RefuseQueued();
  std::chrono::milliseconds ExpectedWait() const;

  const ServerOptions options_;
  const Parts parts_;
  const std::shared_ptr<Instruments> instruments_;
  std::deque<Waiting> queue_;
  std::int64_t queued_tokens_ = 0;
  double tokens_per_second_ = 0;  // Of recent batches; 0: unknown.
  std::atomic<bool> stopping_ = false;
  std::atomic<std::int64_t> answered_ = 0;
  std::atomic<std::int64_t> batches_ = 0;
  std::atomic<std::int64_t> tokens_ = 0;
};

}  // namespace londi::inference
