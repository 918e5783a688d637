#include "actors/cost_controller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace londi::actors {

void CostControllerOptions::Validate() const {
  core::RequireConfig(min_cost > 0 && min_cost <= max_cost && std::isfinite(max_cost),
                      fmt::format("costs are controlled between {} and {}", min_cost, max_cost),
                      "control acts on their logarithm",
                      "set 0 < min_cost <= max_cost");
  core::RequireConfig(
      proportional >= 0 && integral > 0 && derivative >= 0,
      fmt::format("the gains are {}, {} and {}", proportional, integral, derivative),
      "more calls than wanted must raise the cost, and without integral it stays where it is",
      "set the integral gain above 0, the others to 0 or more");
  core::RequireConfig(tolerance >= 0 && tolerance < 1 && resolution > 0,
                      fmt::format("tolerance is {} and resolution {}", tolerance, resolution),
                      "the search ends by the resolution",
                      "set 0 <= tolerance < 1 and a resolution above 0");
  core::RequireConfig(tries >= 1,
                      fmt::format("tries is {}", tries),
                      "without one nothing is controlled",
                      "set it to 1 or more");
}

CostController::CostController(const CostControllerOptions& options, double wanted)
    : options_(options),
      wanted_(wanted),
      log_cost_((std::log(options.min_cost) + std::log(options.max_cost)) / 2),
      integral_(log_cost_) {
  options_.Validate();
  if (!(wanted > 0) || !std::isfinite(wanted)) {
    throw core::ConfigError({.what = fmt::format("{} calls per episode are wanted", wanted),
                             .why = "an average budget is a number above 0",
                             .fix = "name one above 0; for none at all there is always-quick"});
  }
}

double CostController::cost() const {
  if (IsAtLowest()) return options_.min_cost;  // Not but for a rounding error.
  if (IsAtHighest()) return options_.max_cost;
  return std::exp(log_cost_);
}

bool CostController::IsAtLowest() const { return log_cost_ <= std::log(options_.min_cost); }

bool CostController::IsAtHighest() const { return log_cost_ >= std::log(options_.max_cost); }

double CostController::LowestLog() const {
  return std::log(above_ ? above_->cost : options_.min_cost);
}

double CostController::HighestLog() const {
  return std::log(below_ ? below_->cost : options_.max_cost);
}

void CostController::Observe(double calls) {
  if (outcome_ != CostOutcome::kSearching) return;
  // 1. Remember.
  const CallsAtCost now{.cost = cost(), .calls = calls};
  const double distance = std::abs(calls - wanted_);
  const double best_distance = best_ ? std::abs(best_->calls - wanted_) : 0;
  if (!best_ || distance < best_distance || (distance == best_distance && calls < best_->calls)) {
    best_ = now;
  }
  const double width_before = HighestLog() - LowestLog();
  const double error = (calls - wanted_) / std::max(calls, wanted_);
  if (error > 0) above_ = now;
  if (error < 0) below_ = now;
  ++num_tries_;

  // 2. Is it over? 3. Else move.
  outcome_ = Judge(error);
  if (outcome_ == CostOutcome::kSearching) Move(error, width_before);
}

CostOutcome CostController::Judge(double error) const {
  if (std::abs(error) <= options_.tolerance) return CostOutcome::kReached;
  if (above_ && below_) {
    if (HighestLog() - LowestLog() <= std::log1p(options_.resolution)) return CostOutcome::kBetween;
  } else if (above_ && IsAtHighest()) {
    return CostOutcome::kTooMany;
  } else if (below_ && IsAtLowest()) {
    return CostOutcome::kTooFew;
  }
  return num_tries_ < options_.tries ? CostOutcome::kSearching : CostOutcome::kUnsettled;
}

void CostController::Move(double error, double width_before) {
  const double low = LowestLog(), high = HighestLog();
  integral_ = std::clamp(integral_ + options_.integral * error, low, high);
  double next = integral_ + options_.proportional * error +
                options_.derivative * std::max(0.0, error - last_error_);
  last_error_ = error;
  const bool leaves = (above_ && next <= low) || (below_ && next >= high);
  const bool gets_on = high - low <= width_before / 2;
  if (leaves || !gets_on) {
    next = above_ && below_ ? (low + high) / 2 : above_ ? high : low;
    integral_ = next;
  }
  log_cost_ = std::clamp(next, low, high);
}

}  // namespace londi::actors
