#pragma once

#include <cstdint>
#include <string>

namespace londi::learner {

struct AdamOptions {
  double learning_rate = 3e-4;        // At the start of the run, > 0.
  double final_learning_rate = 1e-4;  // At its end, reached linearly.
  double epsilon = 1e-8;              // > 0
  double weight_decay = 0;            // Decoupled (AdamW), >= 0.
  double max_gradient_norm = 10;      // Longer gradients are shortened to it, > 0.
};

// What every algorithm's options have in common: its networks, and how they are trained. Algorithms
// have defaults of their own; a braced initializer of `adam` goes back to those above.
struct NetworkOptions {
  int width = 256;   // Units per layer of each network's trunk, 8..4096.
  int layers = 3;    // Of the trunk, 1..8.
  AdamOptions adam;  // One for each network.

  // Throws core::ConfigError that names the option as a key of `section`, "learner.sac".
  void Validate(const std::string& section) const;
};

// Throws core::ConfigError unless the option `key` is within its limits. `limits` is what to set it
// to: "0 or more".
void RequireWithin(bool is_within, const std::string& key, double value, const std::string& limits);

}  // namespace londi::learner
