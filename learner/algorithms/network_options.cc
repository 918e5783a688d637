#include "learner/algorithms/network_options.h"

#include "core/error.h"

namespace londi::learner {

void NetworkOptions::Validate(const std::string& section) const {
  const auto require = [&](bool holds, const char* key, auto value, const char* limits) {
    RequireWithin(holds, section + "." + key, static_cast<double>(value), limits);
  };
  require(width >= 8 && width <= 4096, "width", width, "8 to 4096");
  require(layers >= 1 && layers <= 8, "layers", layers, "1 to 8");
  require(adam.learning_rate > 0 && adam.learning_rate < 1,
          "learning_rate",
          adam.learning_rate,
          "a value above 0 and below 1");
  require(adam.final_learning_rate > 0 && adam.final_learning_rate <= adam.learning_rate,
          "final_learning_rate",
          adam.final_learning_rate,
          "a value above 0, not above learning_rate");
  require(adam.epsilon > 0, "adam_epsilon", adam.epsilon, "a value above 0");
  require(adam.weight_decay >= 0, "weight_decay", adam.weight_decay, "0 or more");
  require(
      adam.max_gradient_norm > 0, "max_gradient_norm", adam.max_gradient_norm, "a value above 0");
}

void RequireWithin(bool is_within,
                   const std::string& key,
                   double value,
                   const std::string& limits) {
  if (is_within) return;
  throw core::ConfigError({.what = key + " is " + std::to_string(value),
                           .why = "training cannot work with it",
                           .fix = "set it to " + limits});
}

}  // namespace londi::learner
