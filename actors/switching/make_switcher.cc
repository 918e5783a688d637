#include "actors/switching/make_switcher.h"

#include <algorithm>

#include "actors/switching/disagreement_switcher.h"
#include "actors/switching/learned_switcher.h"
#include "actors/switching/rules.h"
#include "actors/switching/schedule_rules.h"
#include "actors/switching/swift_sage_switcher.h"
#include "actors/switching/threshold_switcher.h"
#include "core/error.h"

namespace londi::actors {
namespace {

using SwitcherPtr = std::unique_ptr<core::Switcher>;

constexpr Knob kRate{
    .name = "rate", .value = &SwitcherOptions::rate, .rarely = 1e-4, .often = 1, .is_rate = true};
// Confident LMs have entropies of all magnitudes.
constexpr Knob kNats{
    .name = "threshold", .value = &SwitcherOptions::threshold, .rarely = 16, .often = 1e-5};
constexpr Knob kProbability{
    .name = "threshold", .value = &SwitcherOptions::threshold, .rarely = 1, .often = 1e-5};
constexpr Knob kSteps{
    .name = "steps", .value = &SwitcherOptions::steps, .rarely = 0.5, .often = 1024};

// The visible table: a new Switcher is a new line here.
struct Kind {
  std::string_view name;
  bool is_baseline;
  const Knob* knob;
  bool needs_weights;
  SwitcherPtr (*make)(const SwitcherOptions& options, std::uint64_t seed);
};

template <class Made>
SwitcherPtr Make(const SwitcherOptions&, std::uint64_t) {
  return std::make_unique<Made>();
}
template <class Made>
SwitcherPtr MakeAtRate(const SwitcherOptions& options, std::uint64_t) {
  return std::make_unique<Made>(options.rate);
}
template <class Made>
SwitcherPtr MakeRandom(const SwitcherOptions& options, std::uint64_t seed) {
  return std::make_unique<Made>(options.rate, seed);
}
template <class Made>
SwitcherPtr MakeForSteps(const SwitcherOptions& options, std::uint64_t) {
  return std::make_unique<Made>(options.steps);
}
template <ThresholdSwitcher::Measure measure>
SwitcherPtr MakeThreshold(const SwitcherOptions& options, std::uint64_t) {
  return std::make_unique<ThresholdSwitcher>(measure, options.threshold);
}
SwitcherPtr MakeDisagreement(const SwitcherOptions& options, std::uint64_t) {
  return std::make_unique<DisagreementSwitcher>(options.threshold);
}

constexpr Kind kKinds[] = {
    {"mlp", false, nullptr, true, Make<LearnedSwitcher>},
    {"always", false, nullptr, false, Make<AlwaysSwitcher>},
    {"never", false, nullptr, false, Make<NeverSwitcher>},
    {"random", true, &kRate, false, MakeRandom<RandomSwitcher>},
    {"random-block", true, &kRate, false, MakeRandom<RandomBlockSwitcher>},
    {"every-k", true, &kRate, false, MakeAtRate<EveryKSwitcher>},
    {"first", true, &kSteps, false, MakeForSteps<FirstSwitcher>},
    {"last", true, &kSteps, false, MakeForSteps<LastSwitcher>},
    {"entropy", true, &kNats, false, MakeThreshold<Entropy>},
    {"margin", true, &kProbability, false, MakeThreshold<LackOfMargin>},
    {"sequence-prob", true, &kNats, false, MakeThreshold<Surprisal>},
    {"swift-sage", true, nullptr, false, Make<SwiftSageSwitcher>},
    {"disagreement", true, &kProbability, true, MakeDisagreement},
};

const Kind& FindKind(const std::string& name) {
  const auto found = std::ranges::find(kKinds, name, &Kind::name);
  if (found != std::end(kKinds)) return *found;
  std::string known;
  for (const Kind& kind : kKinds) known += (known.empty() ? "" : ", ") + std::string(kind.name);
  throw core::ConfigError({.what = "unknown Switcher '" + name + "'",
                           .why = "known are: " + known + ".",
                           .fix = "use one of these; the learned one is 'mlp'."});
}

void RequireNotNegative(const char* name, double value, const char* why) {
  if (value >= 0) return;  // False for NaN.
  throw core::ConfigError(
      {.what = std::string("the Switcher's ") + name + " is " + std::to_string(value),
       .why = why,
       .fix = "set it to 0 or more."});
}

}  // namespace

void SwitcherOptions::Validate() const {
  FindKind(kind);
  if (!(rate >= 0 && rate <= 1)) {
    throw core::ConfigError({.what = "the Switcher's rate is " + std::to_string(rate),
                             .why = "it is a probability per decision.",
                             .fix = "set it to 0..1."});
  }
  RequireNotNegative("threshold", threshold, "what is compared with it is never negative.");
  RequireNotNegative("steps", steps, "it is a number of decisions.");
}

std::vector<std::string> SwitcherKinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

std::vector<std::string> BaselineKinds() {
  std::vector<std::string> names;
  for (const Kind& kind : kKinds) {
    if (kind.is_baseline) names.emplace_back(kind.name);
  }
  return names;
}

const Knob* FindKnob(const std::string& kind) { return FindKind(kind).knob; }

bool NeedsWeights(const std::string& kind) { return FindKind(kind).needs_weights; }

SwitcherPtr MakeSwitcher(const SwitcherOptions& options, std::uint64_t seed) {
  options.Validate();
  return FindKind(options.kind).make(options, seed);
}

}  // namespace londi::actors
