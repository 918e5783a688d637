#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/language_model.h"
#include "core/switcher.h"

namespace londi::core {

// One environment step's choice.
struct Decision {
  Proposal quick;            // Always there: its features are the Switcher's input.
  SwitchChoice choice;       // After masking: activate implies that the budget admitted it.
  bool may_activate = true;  // Whether the budget admits a call here, as far as that was found out.
  bool refused = false;      // A call was chosen and would have cost more than is left.
  std::optional<Proposal> deepthink;  // Present iff choice.activate.
  std::optional<Proposal> label;      // DEEPTHINK's, where it was asked only to learn from.
  std::vector<float> features;        // [num_features] what the Switcher saw, free of c and z.

  std::int32_t action() const { return deepthink ? deepthink->action : quick.action; }
};

}  // namespace londi::core
