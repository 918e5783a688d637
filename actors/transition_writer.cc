#include "actors/transition_writer.h"

#include <charconv>
#include <utility>

#include "actors/random.h"
#include "core/half.h"

namespace londi::actors {

std::uint64_t ModelNumber(const core::ModelHash& hash) {
  std::uint64_t number = 0;
  const char* const end = hash.data() + std::min<std::size_t>(hash.size(), 16);
  const auto [stopped, error] = std::from_chars(hash.data(), end, number, 16);
  if (error == std::errc() && stopped == end) return number;
  for (const char c : hash) number = MixWords({number, static_cast<unsigned char>(c)});
  return number;
}

core::Transition ToTransition(const StepRecord& record) {
  const core::Decision& decision = record.decision;
  core::Transition row{.episode = record.episode.id,
                       .step = record.step,
                       .steps_left = record.steps_left,
                       .features = core::ToHalf(decision.features),
                       .quick_action = static_cast<std::int16_t>(decision.quick.action),
                       .activated = decision.choice.activate,
                       .behaviour_prob = decision.choice.behaviour_prob,
                       .may_activate = decision.may_activate,
                       .reward = record.reward,
                       .cost = record.episode.terms.cost,
                       .remaining = record.remaining,
                       .terminated = record.terminated,
                       .truncated = record.truncated,
                       .reference = record.episode.reference,
                       .weights = decision.choice.version,
                       .quick_model = ModelNumber(decision.quick.model)};
  const auto add_price = [&row](const core::LmUsage& usage) {
    row.tokens += static_cast<std::int32_t>(usage.computed_tokens);
    row.gflops += static_cast<float>(usage.flops * 1e-9);
    row.milliseconds += static_cast<float>(ComputeShareMs(usage));
  };
  add_price(decision.quick.usage);
  if (decision.deepthink) add_price(decision.deepthink->usage);  // A label is no part of the price.
  if (const auto& proposal = decision.deepthink ? decision.deepthink : decision.label) {
    row.deepthink_action = static_cast<std::int16_t>(proposal->action);
    row.deepthink_model = ModelNumber(proposal->model);
    row.price = record.episode.terms.meter.Price(proposal->usage);
  }
  return row;
}

bool TransitionWriter::Write(core::Transition row) {
  std::lock_guard lock(mutex_);
  row.actor = actor_;
  row.incarnation = incarnation_;
  row.sequence = core::Sequence(last_ + 1);
  if (!sink_.Push(std::move(row))) return false;
  ++last_;
  return true;
}

std::int64_t TransitionWriter::num_written() const {
  std::lock_guard lock(mutex_);
  return last_;
}

}  // namespace londi::actors
