#include "learner/algorithms/network_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"

namespace londi::learner {
namespace {

using ::testing::StartsWith;

TEST(NetworkOptions, AnErrorNamesTheKeyInTheSectionOfTheAlgorithm) {
  const std::vector<std::pair<std::string, std::function<void(NetworkOptions&)>>> spoiled = {
      {"width", [](auto& o) { o.width = 7; }},
      {"width", [](auto& o) { o.width = 4097; }},
      {"layers", [](auto& o) { o.layers = 0; }},
      {"layers", [](auto& o) { o.layers = 9; }},
      {"learning_rate", [](auto& o) { o.adam.learning_rate = 1; }},
      {"learning_rate", [](auto& o) { o.adam.learning_rate = 0; }},
      {"final_learning_rate", [](auto& o) { o.adam.final_learning_rate = 0; }},
      {"final_learning_rate", [](auto& o) { o.adam.final_learning_rate = 4e-4; }},
      {"adam_epsilon", [](auto& o) { o.adam.epsilon = 0; }},
      {"weight_decay", [](auto& o) { o.adam.weight_decay = -1; }},
      {"max_gradient_norm",
       [](auto& o) { o.adam.max_gradient_norm = std::numeric_limits<double>::quiet_NaN(); }}};
  EXPECT_NO_THROW(NetworkOptions().Validate("learner.sac"));
  for (const auto& [key, spoil] : spoiled) {
    NetworkOptions options;
    spoil(options);
    try {
      options.Validate("learner.sac");
      ADD_FAILURE() << key << " was not refused";
    } catch (const core::ConfigError& error) {
      EXPECT_THAT(error.text().what, StartsWith("learner.sac." + key + " is "));
    }
  }
}

}  // namespace
}  // namespace londi::learner
