#include "core/budget_meter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "core/budget.h"

namespace londi::core {
namespace {

LmUsage Tokens(std::int64_t tokens) { return {.computed_tokens = tokens, .flops = 1}; }
LmUsage Flops(double flops) { return {.computed_tokens = 1, .flops = flops}; }

TEST(BudgetMeter, ACallIsATickWhateverItTook) {
  const BudgetMeter meter;

  EXPECT_EQ(meter.ticks_per_call(), 1);
  EXPECT_EQ(meter.most_per_call(), 1);
  EXPECT_EQ(meter.Ticks(3), 3);
  EXPECT_EQ(meter.Ticks(2.9), 2);
  EXPECT_EQ(meter.Price(Tokens(1'000'000)), 1);
  EXPECT_EQ(meter.Price(Flops(std::nan(""))), 1);
  LmRequest request;
  meter.Limit(1, request);
  EXPECT_FALSE(request.is_limited());
}

TEST(BudgetMeter, ATokenIsATick) {
  const BudgetMeter meter(BudgetUnit::kTokens, 40.4);

  EXPECT_EQ(meter.ticks_per_call(), 40);
  EXPECT_EQ(meter.Ticks(200), 200);
  EXPECT_EQ(meter.Amount(200), 200);
  EXPECT_EQ(meter.Price(Tokens(37)), 37);
  EXPECT_EQ(meter.Price(Tokens(0)), 1);  // No call is free.
  EXPECT_EQ(meter.Price(Tokens(-5)), 1);
  EXPECT_EQ(meter.Price(Tokens(std::int64_t{1} << 40)), BudgetMeter::kMaxPrice);
  LmRequest request;
  meter.Limit(55, request);
  EXPECT_EQ(request.max_tokens, 55);
  EXPECT_TRUE(request.Admits(55, 1e30));
  EXPECT_FALSE(request.Admits(56, 0));
}

TEST(BudgetMeter, FlopsAreCountedInThousandthsOfATypicalCall) {
  const BudgetMeter meter(BudgetUnit::kGflops, 0.002);  // 2,000 FLOPs a tick.

  EXPECT_EQ(meter.ticks_per_call(), 1000);
  EXPECT_EQ(meter.Ticks(0.004), 2000);
  EXPECT_DOUBLE_EQ(meter.Amount(2000), 0.004);
  EXPECT_EQ(meter.Price(Flops(2000)), 1);
  EXPECT_EQ(meter.Price(Flops(2001)), 2);  // Rounded up,
  EXPECT_EQ(meter.Ticks(0.0000039), 1);    // and down what is granted.
  EXPECT_EQ(meter.Price(Flops(0)), 1);
  LmRequest request;
  meter.Limit(3, request);
  EXPECT_EQ(request.max_flops, 6000);
  EXPECT_TRUE(request.Admits(1, 6000));
  EXPECT_FALSE(request.Admits(1, 6000.5));
  EXPECT_FALSE(request.Admits(1, std::nan("")));
}

TEST(BudgetMeter, OfTimeTheWorstCaseIsReservedAndItsShareOfThePassIsThePrice) {
  const BudgetMeter meter(BudgetUnit::kMilliseconds, 2, /*worst_call=*/15);  // 2 us a tick.

  EXPECT_EQ(meter.ticks_per_call(), 1000);
  EXPECT_EQ(meter.most_per_call(), 7500);
  EXPECT_EQ(meter.least_per_call(), 7500);
  EXPECT_EQ(meter.Ticks(20), 10'000);
  EXPECT_DOUBLE_EQ(meter.Amount(10'000), 20);
  EXPECT_EQ(meter.Price({.compute_ms = 8, .batch_size = 4}), 1000);
  EXPECT_EQ(meter.Price({.compute_ms = 2.0001, .batch_size = 1}), 1001);
  EXPECT_EQ(meter.Price({.compute_ms = std::nan(""), .batch_size = 1}), BudgetMeter::kMaxPrice);
  LmRequest request;
  meter.Limit(3, request);
  EXPECT_FALSE(request.is_limited());  // No worker could know.
  for (const BudgetUnit unit : {BudgetUnit::kTokens, BudgetUnit::kGflops})
    EXPECT_EQ(BudgetMeter(unit, 1).least_per_call(), 1);
}

TEST(BudgetMeter, UsageThatIsNoNumberCountsAsTheMost) {
  const BudgetMeter meter(BudgetUnit::kGflops, 1);

  for (const double flops : {std::nan(""), -1.0, 1e300, std::numeric_limits<double>::infinity()})
    EXPECT_EQ(meter.Price(Flops(flops)), BudgetMeter::kMaxPrice) << flops;
}

// Who computes within the limits of a request never costs more than was reserved for it, and what
// was spent never exceeds the budget in its own unit.
TEST(BudgetMeter, WhatALimitedRequestCostsIsNeverMoreThanWasReserved) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> share(0, 1);
  for (int round = 0; round < 200'000; ++round) {
    const BudgetUnit unit = round % 2 == 0 ? BudgetUnit::kTokens : BudgetUnit::kGflops;
    const double call_price = std::pow(10, -5 + 12 * share(random));
    const BudgetMeter meter(unit, call_price);
    const double amount = call_price * 20 * share(random);
    BudgetGovernor governor(meter.Ticks(amount), meter.most_per_call());
    double flops = 0, tokens = 0;
    for (int call = 0; call < 4; ++call) {
      const auto reserved = governor.Reserve();
      if (!reserved) break;
      LmRequest request;
      meter.Limit(*reserved, request);
      LmUsage usage{
          .computed_tokens = 1 + static_cast<std::int64_t>(8 * call_price * share(random)),
          .flops = std::floor(8e9 * call_price * share(random))};
      if (share(random) < 0.5) {  // To the limit, as who wants to break it would.
        if (unit == BudgetUnit::kTokens) usage.computed_tokens = request.max_tokens;
        if (unit == BudgetUnit::kGflops) usage.flops = static_cast<double>(request.max_flops);
      }
      if (!request.Admits(usage.computed_tokens, usage.flops)) {
        governor.Settle(0);
        continue;
      }
      ASSERT_LE(meter.Price(usage), *reserved) << UnitName(unit) << " " << call_price;
      governor.Settle(meter.Price(usage));
      tokens += static_cast<double>(usage.computed_tokens);
      flops += usage.flops;
    }
    const double spent = unit == BudgetUnit::kTokens ? tokens : flops / 1e9;
    ASSERT_LE(spent, amount * (1 + 1e-15)) << UnitName(unit) << " " << call_price;
  }
}

}  // namespace
}  // namespace londi::core
