#pragma once

#include <cstdint>
#include <string_view>

#include "core/language_model.h"

namespace londi::core {

// What a budget counts of DEEPTHINK's answers.
enum class BudgetUnit : std::uint8_t {
  kCalls,
  kTokens,  // Computed ones, the cached part of the prompt excluded (LmUsage::computed_tokens).
  kGflops,  // 1e9 floating point operations (LmUsage::flops).
  kMilliseconds,  // Its share of forward passes (ComputeShareMs).
};
const char* UnitName(BudgetUnit unit);  // "calls", "tokens", "gflops", "milliseconds"

// Between a budget's unit and the whole ticks that everything else counts it in, so that sums are
// exact. A tick is a call, a token, or a thousandth of a typical call's FLOPs or time. What is
// granted is rounded down, what is spent is rounded up: no rounding ever exceeds a budget.
class BudgetMeter {
 public:
  // No answer is priced higher; none that may cost more is asked for.
  static constexpr std::int32_t kMaxPrice = 1 << 26;

  BudgetMeter() = default;  // Calls.
  // `call_price`: of a typical call, in the unit: what the Switcher's view of the budget is scaled
  // by, and nothing else. > 0; with calls 1.
  // `worst_call`: milliseconds that no call exceeds, >= call_price. Nobody knows the time of a call
  // before it is over, so this is what the guarantee stands on in that unit, and in no other.
  BudgetMeter(BudgetUnit unit, double call_price, double worst_call = 0);

  BudgetUnit unit() const { return unit_; }
  std::int32_t ticks_per_call() const { return ticks_per_call_; }
  // What is reserved for a call, or all that is left, but no less than that (BudgetGovernor).
  std::int32_t most_per_call() const { return most_per_call_; }
  std::int32_t least_per_call() const {
    return unit_ == BudgetUnit::kMilliseconds ? most_per_call_ : 1;
  }

  // A budget of `amount` >= 0 of the unit, and back.
  std::int32_t Ticks(double amount) const;
  double Amount(std::int64_t ticks) const;

  // Of an answer, 1..kMaxPrice. Usage that is no number counts as the most.
  std::int32_t Price(const LmUsage& usage) const;

  // Makes `request` one that no worker answers for more than `ticks` tokens or FLOPs.
  void Limit(std::int32_t ticks, LmRequest& request) const;

 private:
  std::int32_t PriceOfAtoms(double atoms) const;

  BudgetUnit unit_ = BudgetUnit::kCalls;
  std::int32_t ticks_per_call_ = 1;
  std::int32_t most_per_call_ = 1;
  std::int64_t atoms_per_tick_ = 1;  // Of FLOPs or nanoseconds.
};

}  // namespace londi::core
