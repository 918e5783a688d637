#pragma once

#include <cctype>
#include <cstddef>
#include <string_view>
#include <vector>

#include "core/language_model.h"

namespace londi::testing {

// The LMs of the exact problems (actors/envs/problems): deterministic readers of the last
// observation. DEEPTHINK takes the last action. QUICK takes the first one, sure of itself; among
// four it does not know which; and where a die was thrown for it, it is right if the die shows less
// than its odds. Features: one-hot of the place, then the share that the observation's second pair
// of numbers makes (gain, odds, light), 0 without one.
class ProblemLm final : public core::LanguageModel {
 public:
  explicit ProblemLm(core::Tier tier) : tier_(tier) {}

  core::Proposal Propose(const core::LmRequest& request) override {
    const std::vector<int> numbers = Numbers(request.prompt);
    core::Proposal proposal{
        .log_probs = std::vector<float>(request.candidates.size(), kImpossible),
        .features = std::vector<float>(static_cast<std::size_t>(numbers[1]) + 1),
        .usage = {.prompt_tokens = 10, .computed_tokens = 4, .flops = 1e6, .batch_size = 1},
        .model = tier_ == core::Tier::kQuick ? "0000000000000001" : "0000000000000002"};
    if (tier_ == core::Tier::kQuick && request.candidates.size() == 4) {
      for (float& log_prob : proposal.log_probs) log_prob = -1.38629436f;
    } else {
      (IsRight(numbers) ? proposal.log_probs.back() : proposal.log_probs.front()) = 0;
    }
    core::SummarizeLogProbs(proposal);
    proposal.features[static_cast<std::size_t>(numbers[0])] = 1;
    if (numbers.size() >= 4)
      proposal.features.back() = static_cast<float>(numbers[2]) / static_cast<float>(numbers[3]);
    return proposal;
  }

 private:
  static constexpr float kImpossible = -200;

  bool IsRight(const std::vector<int>& numbers) const {
    if (tier_ == core::Tier::kDeepthink) return true;
    const bool was_dice_thrown = numbers.size() >= 6;
    return was_dice_thrown && numbers[4] < numbers[2];
  }

  // All of the last observation.
  static std::vector<int> Numbers(std::string_view prompt) {
    std::vector<int> numbers;
    bool inside = false;
    for (const char c : prompt.substr(prompt.rfind("Observation:"))) {
      const bool is_digit = std::isdigit(static_cast<unsigned char>(c)) != 0;
      if (is_digit && !inside) numbers.push_back(0);
      if (is_digit) numbers.back() = numbers.back() * 10 + (c - '0');
      inside = is_digit;
    }
    return numbers;
  }

  const core::Tier tier_;
};

}  // namespace londi::testing
