#include "core/budget_meter.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace londi::core {
namespace {

constexpr std::int32_t kTicksPerCall = 1000;  // Where a tick is a share of a call.

// What a unit that is not whole by itself is counted in: FLOPs, nanoseconds.
double AtomsPer(BudgetUnit unit) { return unit == BudgetUnit::kGflops ? 1e9 : 1e6; }

bool IsWhole(BudgetUnit unit) { return unit == BudgetUnit::kCalls || unit == BudgetUnit::kTokens; }

// Doubles up to here hold every whole number; no answer may need more FLOPs.
constexpr std::int64_t kExactIntegers = 9'000'000'000'000'000;

std::int32_t Clamp(double value) {
  if (!(value >= 0)) return 0;
  return static_cast<std::int32_t>(
      std::min<double>(std::floor(value), std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

const char* UnitName(BudgetUnit unit) {
  switch (unit) {
    case BudgetUnit::kCalls:
      return "calls";
    case BudgetUnit::kTokens:
      return "tokens";
    case BudgetUnit::kGflops:
      return "gflops";
    case BudgetUnit::kMilliseconds:
      return "milliseconds";
  }
  return "";
}

BudgetMeter::BudgetMeter(BudgetUnit unit, double call_price, double worst_call) : unit_(unit) {
  if (unit == BudgetUnit::kCalls) return;
  most_per_call_ = kMaxPrice;
  if (unit == BudgetUnit::kTokens) {
    ticks_per_call_ = std::max(Clamp(std::round(call_price)), 1);
    return;
  }
  ticks_per_call_ = kTicksPerCall;
  const double atoms = std::floor(call_price * AtomsPer(unit) / kTicksPerCall);
  atoms_per_tick_ =
      static_cast<std::int64_t>(std::clamp(atoms, 1.0, static_cast<double>(kExactIntegers)));
  if (unit == BudgetUnit::kMilliseconds) most_per_call_ = PriceOfAtoms(worst_call * AtomsPer(unit));
}

std::int32_t BudgetMeter::Ticks(double amount) const {
  if (IsWhole(unit_)) return Clamp(amount);
  return Clamp(amount * AtomsPer(unit_) / static_cast<double>(atoms_per_tick_));
}

double BudgetMeter::Amount(std::int64_t ticks) const {
  const auto amount = static_cast<double>(ticks);
  if (IsWhole(unit_)) return amount;
  return amount * static_cast<double>(atoms_per_tick_) / AtomsPer(unit_);
}

std::int32_t BudgetMeter::PriceOfAtoms(double atoms) const {
  if (!(atoms >= 0 && atoms <= static_cast<double>(kExactIntegers))) return kMaxPrice;
  const std::int64_t price = static_cast<std::int64_t>(std::ceil(atoms) - 1) / atoms_per_tick_ + 1;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(price, 1, kMaxPrice));
}

std::int32_t BudgetMeter::Price(const LmUsage& usage) const {
  switch (unit_) {
    case BudgetUnit::kCalls:
      return 1;
    case BudgetUnit::kTokens:
      return static_cast<std::int32_t>(
          std::clamp<std::int64_t>(usage.computed_tokens, 1, kMaxPrice));
    case BudgetUnit::kGflops:
      return PriceOfAtoms(usage.flops);
    case BudgetUnit::kMilliseconds:
      return PriceOfAtoms(ComputeShareMs(usage) * AtomsPer(unit_));
  }
  return kMaxPrice;
}

void BudgetMeter::Limit(std::int32_t ticks, LmRequest& request) const {
  const std::int64_t granted = std::clamp(ticks, 0, kMaxPrice);
  if (unit_ == BudgetUnit::kTokens) request.max_tokens = granted;
  if (unit_ != BudgetUnit::kGflops) return;
  const std::int64_t most = kExactIntegers;
  request.max_flops = granted <= most / atoms_per_tick_ ? granted * atoms_per_tick_ : most;
}

}  // namespace londi::core
