#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

namespace londi::core {

// Hard budget on what DEEPTHINK costs in one episode, in ticks of its unit (budget_meter.h: calls,
// tokens, shares of a call's FLOPs or time); `unlimited` = only the cost restrains them.
// The only owner of the counter: whatever the Switcher's parameters say, NaN included, Reserve
// decides. A call's price is known once it has been made, so the most it may be is taken out before
// and what is left of that comes back after. Who computes holds to what was reserved (LmRequest);
// then spent() <= limit, and the budget holds for every parameter vector (algorithms.md 2.7). A
// reservation that is never settled, because the call failed, stays spent.
class BudgetGovernor {
 public:
  static constexpr std::int32_t kUnlimited = -1;

  // `most_per_call`: what a call is allowed to cost; `least_per_call`: with less left there is
  // none. 1 <= least_per_call <= most_per_call.
  explicit BudgetGovernor(std::int32_t limit,
                          std::int32_t most_per_call = 1,
                          std::int32_t least_per_call = 1)
      : limit_(limit < 0 ? kUnlimited : limit),
        most_per_call_(most_per_call),
        least_per_call_(least_per_call) {}

  bool CanReserve() const { return limit_ == kUnlimited || limit_ - spent_ >= least_per_call_; }

  // Takes out what a call may cost: `most_per_call` or all that is left. nullopt: too little is
  // left, and nothing changed.
  [[nodiscard]] std::optional<std::int32_t> Reserve() {
    if (!CanReserve()) return std::nullopt;
    reserved_ = most_per_call_;
    if (limit_ != kUnlimited)
      reserved_ = static_cast<std::int32_t>(std::min<std::int64_t>(reserved_, limit_ - spent_));
    spent_ += reserved_;
    return reserved_;
  }

  // That call has cost `price` >= 0 (0: it was not made); the rest of what was reserved comes back.
  void Settle(std::int32_t price) { spent_ += price - std::exchange(reserved_, 0); }

  std::int64_t spent() const { return spent_; }
  // What is left (z), kUnlimited without a limit.
  std::int32_t remaining() const {
    if (limit_ == kUnlimited) return kUnlimited;
    return static_cast<std::int32_t>(std::max<std::int64_t>(limit_ - spent_, 0));
  }

 private:
  std::int32_t limit_;
  std::int32_t most_per_call_;
  std::int32_t least_per_call_;
  std::int32_t reserved_ = 0;
  std::int64_t spent_ = 0;
};

// What `remaining` ticks are worth in typical calls: how the Switcher is told. With calls that is
// `remaining` itself.
inline float CallsWorth(std::int32_t remaining, std::int32_t ticks_per_call) {
  if (remaining < 0) return BudgetGovernor::kUnlimited;
  return static_cast<float>(remaining) / static_cast<float>(ticks_per_call);
}

}  // namespace londi::core
