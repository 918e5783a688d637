#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/budget.h"
#include "core/ids.h"
#include "core/weights.h"

namespace londi::core {

// What the Switcher knows when it chooses (after QUICK has proposed).
struct SwitcherInput {
  std::span<const float>
      features;    // [num_features] QUICK's hidden state, scalars, history; free of c and z.
  float cost = 0;  // c >= 0, task reward per activation.
  float remaining = BudgetGovernor::kUnlimited;  // z, what is left in typical calls (CallsWorth).
  std::int32_t steps_left = 0;                   // Steps until truncation, this one included.
};

struct SwitchChoice {
  bool activate = false;  // g: true = call DEEPTHINK.
  float behaviour_prob =
      1;  // Probability with which the acting policy picks this g; 1 for a forced repeat.
  float advantage = 0;  // Q(s,1) - Q(s,0) as predicted, 0 for rules without one.
  // P(DEEPTHINK would act otherwise than QUICK) as predicted, 1 where nothing predicts it.
  float disagreement = 1;
  // DEEPTHINK is to be asked although QUICK acts, only to learn what it would have done (training).
  bool wants_label = false;
  WeightsVersion version;
  // P(g = 1) of a policy that is stochastic: `activate` is the likelier choice, exploring draws.
  std::optional<float> activation_prob = std::nullopt;
};

// Chooses per decision whether DEEPTHINK is called. One object per episode thread; Load may be
// called from the same thread between decisions.
class Switcher {
 public:
  virtual ~Switcher() = default;
  // Never asked about legality: the caller masks with the BudgetGovernor, and again at activation.
  virtual SwitchChoice Choose(const SwitcherInput& input) = 0;
  virtual void Load(std::shared_ptr<const WeightsSnapshot> weights) = 0;
  // A new episode begins (clears memory such as forced repeats).
  virtual void StartEpisode() = 0;
};

// Cost and budget as network inputs; the one encoding used by actors and learner. z is in typical
// calls, whatever the budget counts.
//   [0] log10(c + 1e-4) / 4    [1] c    [2] 1 if unlimited    [3] min(z, steps_left) / 32    [4] z
//   / steps_left, <= 1 [5] steps_left / 128    [6..14] one-hot of min(floor(z), 8); all 0 if
//   unlimited
// z >= steps_left is encoded as unlimited, because with calls it is (algorithms.md 2.7); in other
// units it is unless calls are dearer here than typical ones.
inline constexpr int kNumContextInputs = 15;
inline constexpr int kUnlimitedInput = 2;  // Which of them says that the budget cannot run out.
void EncodeContext(float cost, float remaining, std::int32_t steps_left, std::span<float> out);

}  // namespace londi::core
