#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/switcher.h"

namespace londi::actors {

struct SwitcherOptions {
  std::string kind = "mlp";  // One of SwitcherKinds().
  double rate = 0.1;         // random, random-block, every-k: activations per decision, 0..1.
  double threshold = 0.5;  // entropy, margin, sequence-prob, disagreement: activate above it, >= 0.
  double steps = 5;        // first, last: decisions, >= 0.
  void Validate() const;   // Throws core::ConfigError naming the kinds there are.
};

// The number that makes a kind activate more or less often.
struct Knob {
  std::string_view name;  // Of the option: "rate", "threshold", "steps".
  double SwitcherOptions::*value;
  double rarely, often;  // > 0: between these it is searched for, in equal ratios.
  bool is_rate = false;  // The value is the share of decisions that activate.
};

// "mlp" (learned), "always", "never", and the baselines.
std::vector<std::string> SwitcherKinds();

// The rules that a learned Switcher is compared with beside "always" and "never".
std::vector<std::string> BaselineKinds();

// nullptr: nothing to turn. Throws core::ConfigError for an unknown kind, as the next one does.
const Knob* FindKnob(const std::string& kind);

// Whether it does nothing until weights are loaded.
bool NeedsWeights(const std::string& kind);

// `seed`: of a random one's choices. Throws core::ConfigError as Validate does.
std::unique_ptr<core::Switcher> MakeSwitcher(const SwitcherOptions& options, std::uint64_t seed);

}  // namespace londi::actors
