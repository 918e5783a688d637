#pragma once

#include <cstdint>

namespace londi::core {

// Hard budget on DEEPTHINK activations of one episode; `unlimited` = only the cost restrains them.
// The only owner of the counter: whatever the Switcher's parameters say, NaN included, TrySpend
// decides. Invariant: spent() <= limit, so the budget holds for every parameter vector
// (algorithms.md 2.7).
class BudgetGovernor {
 public:
  static constexpr std::int32_t kUnlimited = -1;

  explicit BudgetGovernor(std::int32_t limit) : limit_(limit < 0 ? kUnlimited : limit) {}

  bool CanSpend() const { return limit_ == kUnlimited || spent_ < limit_; }

  // Takes one activation out of the budget. False: nothing is left, and nothing changed.
  [[nodiscard]] bool TrySpend() {
    if (!CanSpend()) return false;
    ++spent_;
    return true;
  }

  std::int32_t spent() const { return spent_; }
  // Activations left (z), kUnlimited without a limit.
  std::int32_t remaining() const { return limit_ == kUnlimited ? kUnlimited : limit_ - spent_; }

 private:
  std::int32_t limit_;
  std::int32_t spent_ = 0;
};

}  // namespace londi::core
