#include "inference/inference_server.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>
#include <variant>

#include "core/error.h"

namespace londi::inference {
namespace {

constexpr std::chrono::milliseconds kPoll{20};  // A stop is noticed within it.

core::ErrorText TooMuch(std::int64_t queued_tokens, std::chrono::milliseconds wait) {
  return {.what = "the inference worker has too much to do",
          .why = std::to_string(queued_tokens) + " tokens are queued",
          .fix = "try again in about " + std::to_string(wait.count()) +
                 " ms, start more workers of this tier, or raise inference.max_queued_tokens"};
}

core::ErrorText Expired() {
  return {.what = "an LM request's deadline has passed in the worker's queue",
          .why = "the worker has too much to do",
          .fix = "start more workers of this tier, or allow more time (actor.lm_timeout)"};
}

core::ErrorText GoingDown() {
  return {.what = "the inference worker ends",
          .why = "it was asked to, or its model failed",
          .fix = "ask another worker; see this one's log"};
}

double Milliseconds(core::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

void ServerOptions::Validate() const {
  batching.Validate();
  if (threads < 1) {
    throw core::ConfigError({.what = tier + ".threads is " + std::to_string(threads),
                             .why = "the forward pass runs on at least one thread",
                             .fix = "set it to 1 or more"});
  }
  if (drain.count() < 0) {
    throw core::ConfigError({.what = "run.drain is negative",
                             .why = "workers answer what they have received before they end",
                             .fix = "set it to 1s or more"});
  }
}

struct InferenceServer::Instruments {
  Instruments(monitor::Metrics& metrics, const std::string& tier)
      : answered(Requests(metrics, tier, "answered")),
        refused(Requests(metrics, tier, "refused")),
        expired(Requests(metrics, tier, "expired")),
        cancelled(Requests(metrics, tier, "cancelled")),
        over_budget(Requests(metrics, tier, "over_budget")),
        prompt_tokens(Tokens(metrics, tier, "prompt")),
        computed_tokens(Tokens(metrics, tier, "computed")),
        flops(metrics.GetCounter(
            "londi_inference_flops_total", "Arithmetic of answered requests", {{"tier", tier}})),
        seconds(metrics.GetCounter(
            "londi_inference_seconds_total", "Time in forward passes", {{"tier", tier}})),
        queued_tokens(metrics.GetGauge(
            "londi_inference_queued_tokens", "New tokens of waiting requests", {{"tier", tier}})),
        batch_requests(metrics.GetHistogram("londi_inference_batch_requests",
                                            "Requests per forward pass",
                                            monitor::ExponentialBounds(1, 8),
                                            {{"tier", tier}})),
        batch_tokens(metrics.GetHistogram("londi_inference_batch_tokens",
                                          "New tokens per forward pass",
                                          monitor::ExponentialBounds(1, 14),
                                          {{"tier", tier}})),
        queue_ms(metrics.GetHistogram("londi_inference_queue_milliseconds",
                                      "From a request's arrival to its forward pass",
                                      monitor::ExponentialBounds(0.1, 14),
                                      {{"tier", tier}})),
        compute_ms(metrics.GetHistogram("londi_inference_compute_milliseconds",
                                        "Duration of a forward pass",
                                        monitor::ExponentialBounds(0.1, 14),
                                        {{"tier", tier}})) {}

  static monitor::Counter Requests(monitor::Metrics& metrics,
                                   const std::string& tier,
                                   const char* outcome) {
    return metrics.GetCounter("londi_inference_requests_total",
                              "Requests by what became of them",
                              {{"tier", tier}, {"outcome", outcome}});
  }
  static monitor::Counter Tokens(monitor::Metrics& metrics,
                                 const std::string& tier,
                                 const char* kind) {
    return metrics.GetCounter("londi_inference_tokens_total",
                              "Tokens of answered requests: in their prompts, and computed",
                              {{"tier", tier}, {"kind", kind}});
  }

  monitor::Counter answered, refused, expired, cancelled, over_budget, prompt_tokens,
      computed_tokens, flops, seconds;
  monitor::Gauge queued_tokens;
  monitor::Histogram batch_requests, batch_tokens, queue_ms, compute_ms;
};

InferenceServer::InferenceServer(ServerOptions options, Parts parts)
    : options_(std::move(options)),
      parts_(std::move(parts)),
      instruments_(std::make_shared<Instruments>(parts_.metrics, options_.tier)) {
  options_.Validate();
}

ServerProgress InferenceServer::progress() const {
  return {.answered = answered_, .batches = batches_, .tokens = tokens_};
}

void InferenceServer::Run() {
  at::init_num_threads();
  at::set_num_threads(options_.threads);
  try {
    while (!stopping_ && !parts_.channel.IsClosed()) {
      if (parts_.on_progress) parts_.on_progress();
      const core::TimePoint poll = parts_.clock.Now() + kPoll;
      const QueueState queue{
          .requests = static_cast<std::int64_t>(queue_.size()),
          .tokens = queued_tokens_,
          .oldest_since = queue_.empty() ? poll : queue_.front().incoming.received_at};
      TakeIn(std::min(FlushTime(options_.batching, queue, poll), poll));
      if (ShouldFlush(options_.batching,
                      {.requests = static_cast<std::int64_t>(queue_.size()),
                       .tokens = queued_tokens_,
                       .oldest_since = queue_.empty() ? poll : queue_.front().incoming.received_at},
                      parts_.clock.Now())) {
        ServeBatch();
      }
    }
    Drain();
  } catch (...) {
    parts_.channel.Close();
    RefuseQueued();
    throw;
  }
}

void InferenceServer::TakeIn(core::TimePoint deadline) {
  auto incoming = parts_.channel.Receive(deadline);
  // Not more than wait by now: tokenizing must not keep the forward pass from running.
  for (std::size_t left = parts_.channel.NumWaiting(); incoming; --left) {
    Admit(*std::move(incoming));
    if (left == 0) break;
    incoming = parts_.channel.Receive(parts_.clock.Now());
  }
  instruments_->queued_tokens.Set(static_cast<double>(queued_tokens_));
}

void InferenceServer::Admit(transport::IncomingLmRequest incoming) {
  auto prepared = parts_.scorer.Prepare(incoming.request);
  if (const auto* error = std::get_if<core::ErrorText>(&prepared)) {
    instruments_->refused.Increment();
    parts_.channel.Refuse(incoming.ticket, *error, transport::Retry::kNever);
    return;
  }
  auto& request = std::get<PreparedRequest>(prepared);
  const QueueState queue{.requests = static_cast<std::int64_t>(queue_.size()),
                         .tokens = queued_tokens_};
  if (!Admits(options_.batching, queue, request.new_tokens)) {
    instruments_->refused.Increment();
    parts_.channel.Refuse(
        incoming.ticket, TooMuch(queued_tokens_, ExpectedWait()), transport::Retry::kElsewhere);
    return;
  }
  queued_tokens_ += request.new_tokens;
  queue_.push_back({.incoming = std::move(incoming), .prepared = std::move(request)});
}

std::vector<InferenceServer::Waiting> InferenceServer::TakeBatch() {
  const core::TimePoint now = parts_.clock.Now();
  std::erase_if(queue_, [&](const Waiting& waiting) {
    const bool cancelled = waiting.incoming.IsCancelled();
    if (!cancelled && waiting.incoming.request.deadline >= now) return false;
    (cancelled ? instruments_->cancelled : instruments_->expired).Increment();
    if (!cancelled) {
      parts_.channel.Refuse(waiting.incoming.ticket, Expired(), transport::Retry::kElsewhere);
    }
    queued_tokens_ -= waiting.prepared.new_tokens;
    return true;
  });
  std::vector<std::int64_t> tokens;
  for (const Waiting& waiting : queue_) tokens.push_back(waiting.prepared.new_tokens);
  const auto end =
      queue_.begin() + static_cast<std::ptrdiff_t>(BatchSize(options_.batching, tokens));
  std::vector<Waiting> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  for (const Waiting& waiting : batch) queued_tokens_ -= waiting.prepared.new_tokens;
  RefuseTooDear(batch);
  return batch;
}

// Here and not on arrival: what the caches hold is known for certain only now.
void InferenceServer::RefuseTooDear(std::vector<Waiting>& batch) {
  std::set<std::uint64_t> sessions;
  std::erase_if(batch, [&](const Waiting& waiting) {
    const std::uint64_t session = waiting.prepared.session;
    if (waiting.incoming.request.is_limited()) {
      const Needs needs = parts_.scorer.CountNeeds(waiting.prepared, sessions.contains(session));
      if (const auto error = CheckLimits(waiting.incoming.request, needs)) {
        instruments_->over_budget.Increment();
        parts_.channel.Refuse(waiting.incoming.ticket, *error, transport::Retry::kOverBudget);
        return true;
      }
    }
    sessions.insert(session);
    return false;
  });
}

void InferenceServer::ServeBatch() {
  std::vector<Waiting> batch = TakeBatch();
  if (batch.empty()) return;
  std::vector<PreparedRequest> requests;
  for (Waiting& waiting : batch) requests.push_back(std::move(waiting.prepared));
  const core::TimePoint begun = parts_.clock.Now();
  std::vector<core::Proposal> proposals;
  try {
    proposals = parts_.scorer.Score(requests, parts_.on_progress);
  } catch (...) {
    for (const Waiting& waiting : batch) {
      parts_.channel.Refuse(waiting.incoming.ticket, GoingDown(), transport::Retry::kIfUnlimited);
    }
    throw;
  }
  Answer(batch, std::move(proposals), begun);
}

void InferenceServer::Answer(const std::vector<Waiting>& batch,
                             std::vector<core::Proposal> proposals,
                             core::TimePoint begun) {
  const double seconds = std::chrono::duration<double>(parts_.clock.Now() - begun).count();
  std::int64_t computed = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    core::Proposal& proposal = proposals[i];
    const core::TimePoint received_at = batch[i].incoming.received_at;
    proposal.usage.queue_ms = Milliseconds(begun - received_at);
    parts_.channel.Reply(batch[i].incoming.ticket, proposal);
    computed += proposal.usage.computed_tokens;
    instruments_->queue_ms.Observe(proposal.usage.queue_ms);
    instruments_->prompt_tokens.Increment(static_cast<double>(proposal.usage.prompt_tokens));
    instruments_->flops.Increment(proposal.usage.flops);
  }
  instruments_->answered.Increment(static_cast<double>(batch.size()));
  instruments_->computed_tokens.Increment(static_cast<double>(computed));
  instruments_->seconds.Increment(seconds);
  instruments_->batch_requests.Observe(static_cast<double>(batch.size()));
  instruments_->batch_tokens.Observe(static_cast<double>(computed));
  instruments_->compute_ms.Observe(1e3 * seconds);
  answered_ += static_cast<std::int64_t>(batch.size());
  batches_ += 1;
  tokens_ += computed;
  if (seconds > 0) {
    const double now = static_cast<double>(computed) / seconds;
    tokens_per_second_ = tokens_per_second_ > 0 ? 0.9 * tokens_per_second_ + 0.1 * now : now;
  }
}

void InferenceServer::Drain() {
  parts_.channel.Close();
  const core::TimePoint deadline = parts_.clock.Now() + options_.drain;
  while (!queue_.empty() && parts_.clock.Now() < deadline) ServeBatch();
  RefuseQueued();
}

void InferenceServer::RefuseQueued() {
  for (const Waiting& waiting : queue_) {
    parts_.channel.Refuse(waiting.incoming.ticket, GoingDown(), transport::Retry::kElsewhere);
  }
  instruments_->refused.Increment(static_cast<double>(queue_.size()));
  queue_.clear();
  queued_tokens_ = 0;
  instruments_->queued_tokens.Set(0);
}

std::chrono::milliseconds InferenceServer::ExpectedWait() const {
  if (tokens_per_second_ <= 0) return std::chrono::seconds(1);
  const auto wait =
      std::chrono::duration<double>(static_cast<double>(queued_tokens_) / tokens_per_second_);
  return std::chrono::ceil<std::chrono::milliseconds>(wait);
}

}  // namespace londi::inference
