#pragma once

#include <cstdint>
#include <optional>

namespace londi::actors {

struct CostControllerOptions {
  double min_cost = 1e-3;  // > 0; the Switcher is asked for no cost outside [min_cost, max_cost].
  double max_cost = 0.3;   // >= min_cost

  // Gains: e-folds of the cost per unit of the relative error, >= 0.
  double proportional = 0.5;
  double integral = 1.5;  // > 0. The others 0: plain dual ascent.
  double derivative = 0.25;

  double tolerance = 0.02;   // The wanted calls are reached within this share of them, 0..1.
  double resolution = 1e-3;  // Costs closer than this share are one and the same, > 0.
  std::int32_t tries = 30;   // Costs that are tried at most, >= 1.
  void Validate() const;     // Throws core::ConfigError.
};

// Calls per episode at a cost, as measured.
struct CallsAtCost {
  double cost = 0;
  double calls = 0;
  bool operator==(const CallsAtCost&) const = default;
};

enum class CostOutcome {
  kSearching,
  kReached,    // best() makes the wanted calls, within the tolerance.
  kBetween,    // No: above() makes more, below() fewer, and their costs are one and the same.
  kTooFew,     // Even the smallest cost has the Switcher call less often.
  kTooMany,    // Even the largest cost has it call more often.
  kUnsettled,  // The tries ran out.
};

// A thermostat for the average budget: moves the cost c of a call, which the Switcher takes as an
// input, until the Switcher makes the wanted number of calls per episode. c is the multiplier of
// the constraint "calls per episode <= wanted"; nothing is trained (algorithms.md 2.8).
//
// Control acts on log c, since costs matter by their ratios, with the relative error
// e = (calls - wanted) / max(calls, wanted), which lies in [-1, 1]:
//   I <- clamp(I + k_i e)    log c = clamp(I + k_p e + k_d max(0, e - e_before))
// clamped to the log of the trained costs, so nothing winds up. Source: Stooke et al. 2020,
// arXiv:2007.03964, algorithm 2, there on c itself.
//
// Calls are a step function of the cost: finitely many episodes, finitely many policies. Left to
// itself a controller swings about a step for ever. So it remembers the nearest costs on both sides
// of the wanted calls. What would leave them, or has not halved their distance, is replaced by
// their middle (or, with one side unknown, by the end of the range): the search ends, and says how.
//
// Measure the calls at cost(), tell them to Observe, until outcome() says that it is over. Pure,
// not thread-safe.
class CostController {
 public:
  // wanted > 0.
  CostController(const CostControllerOptions& options, double wanted);

  double cost() const;  // To be measured next.
  void Observe(double calls);

  CostOutcome outcome() const { return outcome_; }
  // Of all that was measured the closest to the wanted calls; of two the one with fewer. There is
  // one after the first Observe.
  const std::optional<CallsAtCost>& best() const { return best_; }
  // The nearest costs with more calls than wanted, and with fewer, where such were seen.
  const std::optional<CallsAtCost>& above() const { return above_; }
  const std::optional<CallsAtCost>& below() const { return below_; }

 private:
  bool IsAtLowest() const;
  bool IsAtHighest() const;
  double LowestLog() const;   // What may be tried next, at least ...
  double HighestLog() const;  // ... and at most.
  CostOutcome Judge(double error) const;
  void Move(double error, double width_before);

  const CostControllerOptions options_;
  const double wanted_;
  double log_cost_;
  double integral_;
  double last_error_ = 0;
  std::int32_t num_tries_ = 0;
  CostOutcome outcome_ = CostOutcome::kSearching;
  std::optional<CallsAtCost> best_, above_, below_;
};

}  // namespace londi::actors
