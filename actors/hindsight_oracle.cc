#include "actors/hindsight_oracle.h"

#include <algorithm>
#include <limits>
#include <queue>
#include <string>
#include <utility>

#include "actors/ask_lm.h"
#include "actors/switching/rules.h"
#include "core/error.h"
#include "core/prompt.h"

namespace londi::actors {
namespace {

// Between plans of equal return the one with fewer calls wins, at cost 0 too. Far below every
// difference between returns.
constexpr double kLeastCost = 1e-9;
constexpr double kRounding = 1e-12;

// Of the states that are looked into, one in so many lies on a walk that calls wherever it can: the
// plan of an episode that is too large to be searched through is as good as the best of these.
constexpr std::int64_t kShareOfWalks = 4;

[[noreturn]] void ThrowCannotCopy() {
  throw core::ConfigError(
      {.what = "the hindsight oracle cannot search this environment",
       .why = "it tries both LMs' actions from the same state, and the environment makes no copies "
              "of itself.",
       .fix = "leave --oracle (evaluation.oracle) out."});
}

class Search {
 public:
  Search(const EpisodeTerms& terms,
         std::uint64_t session,
         const HindsightOptions& options,
         const HindsightParts& parts)
      : terms_(terms),
        cost_(std::max<double>(terms.cost, kLeastCost)),
        session_(session),
        options_(options),
        parts_(parts) {}

  std::optional<HindsightPlan> Run() {
    Node root{.environment = Copy(parts_.environment),
              .transcript = core::Transcript(parts_.first),
              .bound = parts_.environment.MaxRewardAhead()};
    Walk(std::move(root), /*calling=*/false);  // Every episode has this plan, whatever its budget.
    std::int64_t walked = 0;
    while (!parts_.stopping && nodes_ < options_.max_nodes && BestBound() > best_ + kRounding) {
      Node node = TakeBest();
      if (walked * kShareOfWalks <= nodes_) {
        const std::int64_t before = nodes_;
        Walk(std::move(node), /*calling=*/true);
        walked += nodes_ - before;
      } else {
        Children children = Expand(std::move(node));
        for (auto* child : {&children.quick, &children.deepthink}) {
          if (*child) Keep(*std::move(*child));
        }
      }
    }
    if (parts_.stopping) return std::nullopt;
    return Result();
  }

 private:
  // How a state was reached: a step of the plan that leads to it.
  struct Step {
    std::int64_t before = kNone;  // Index of the step before.
    bool call = false;
  };
  static constexpr std::int64_t kNone = -1;

  struct Node {
    std::unique_ptr<core::Environment> environment;
    core::Transcript transcript;
    double earned = 0;
    std::int32_t calls = 0;
    std::int32_t depth = 0;
    std::int64_t last_step = kNone;
    double bound = 0;  // No plan that begins like this one is worth more.
    bool done = false;
  };
  struct Children {
    std::optional<Node> quick, deepthink;  // The latter only where it acts otherwise.
  };
  struct LessPromising {  // Of equally promising ones the deeper is nearer to an answer.
    bool operator()(const Node& a, const Node& b) const {
      if (a.bound != b.bound) return a.bound < b.bound;
      if (a.depth != b.depth) return a.depth < b.depth;
      return a.last_step > b.last_step;
    }
  };

  static std::unique_ptr<core::Environment> Copy(const core::Environment& environment) {
    auto copy = environment.Clone();
    if (copy == nullptr) ThrowCannotCopy();
    return copy;
  }

  // To the end of the episode, calling where it can or never; what is left aside is kept.
  void Walk(Node node, bool calling) {
    while (!node.done && !parts_.stopping) {
      if (calling && nodes_ >= options_.max_nodes) return Keep(std::move(node));
      Children children = Expand(std::move(node));
      const bool call = calling && children.deepthink;
      auto& aside = call ? children.quick : children.deepthink;
      if (aside) Keep(*std::move(aside));
      node = *std::move(call ? children.deepthink : children.quick);
      if (calling && node.bound <= best_ + kRounding) return;
    }
    Keep(std::move(node));
  }

  // The end of an episode is a plan; anything else is looked into later if it may be worth it.
  void Keep(Node node) {
    if (node.done) {
      const double value = node.earned - cost_ * node.calls;
      if (value <= best_) return;
      best_ = value;
      best_calls_ = node.calls;
      best_step_ = node.last_step;
      best_earned_ = node.earned;
    } else if (node.bound > best_ + kRounding) {
      open_.push_back(std::move(node));
      std::ranges::push_heap(open_, LessPromising{});
    }
  }

  double BestBound() const {
    return open_.empty() ? -std::numeric_limits<double>::infinity() : open_.front().bound;
  }

  Node TakeBest() {
    std::ranges::pop_heap(open_, LessPromising{});
    Node node = std::move(open_.back());
    open_.pop_back();
    return node;
  }

  Children Expand(Node node) {
    ++nodes_;
    const std::vector<std::string> actions = node.environment->AdmissibleActions();
    core::LmRequest request = MakeLmRequest(node.transcript.prompt(), actions, session_);
    const std::size_t quick = Ask(parts_.quick, request);
    std::size_t deepthink = quick;
    // A call that cannot pay is not even asked for.
    if (MayCall(node) && node.bound - cost_ > best_ + kRounding)
      deepthink = Ask(parts_.deepthink, request);
    Children children;
    if (deepthink != quick)
      children.deepthink = Act(node, Copy(*node.environment), actions[deepthink], true);
    auto environment = std::move(node.environment);
    children.quick = Act(node, std::move(environment), actions[quick], false);
    return children;
  }

  bool MayCall(const Node& node) const { return terms_.budget < 0 || node.calls < terms_.budget; }

  std::size_t Ask(core::LanguageModel& lm, core::LmRequest& request) const {
    request.deadline = parts_.clock.Now() + parts_.lm_timeout;
    return static_cast<std::size_t>(AskLm(lm, request).action);
  }

  Node Act(const Node& from,
           std::unique_ptr<core::Environment> environment,
           const std::string& action,
           bool call) {
    const core::StepResult result = environment->Step(action);
    steps_.push_back({.before = from.last_step, .call = call});
    Node node{.environment = std::move(environment),
              .transcript = from.transcript,
              .earned = from.earned + result.reward,
              .calls = from.calls + call,
              .depth = from.depth + 1,
              .last_step = static_cast<std::int64_t>(steps_.size()) - 1,
              .done = result.done()};
    const double ahead = node.done ? 0 : node.environment->MaxRewardAhead();
    // What bounds all ways to go on bounds each of them.
    node.bound =
        std::min(node.earned + ahead - cost_ * node.calls, from.bound - (call ? cost_ : 0));
    if (!node.done) node.transcript.Append(action, result.observation);
    return node;
  }

  HindsightPlan Result() const {
    HindsightPlan plan{.value = best_earned_ - terms_.cost * best_calls_,
                       .proven = BestBound() <= best_ + kRounding,
                       .nodes = nodes_};
    plan.bound = plan.proven ? plan.value : std::max(plan.value, BestBound());
    for (std::int64_t i = best_step_; i != kNone; i = steps_[static_cast<std::size_t>(i)].before)
      plan.calls.push_back(steps_[static_cast<std::size_t>(i)].call);
    std::reverse(plan.calls.begin(), plan.calls.end());
    return plan;
  }

  const EpisodeTerms terms_;
  const double cost_;
  const std::uint64_t session_;
  const HindsightOptions options_;
  const HindsightParts& parts_;

  std::vector<Step> steps_;
  std::vector<Node> open_;  // A heap, the most promising in front.
  std::int64_t nodes_ = 0;

  double best_ = -std::numeric_limits<double>::infinity();  // Of the plans found.
  double best_earned_ = 0;
  std::int32_t best_calls_ = 0;
  std::int64_t best_step_ = kNone;
};

class PlannedSwitcher final : public Rule {
 public:
  explicit PlannedSwitcher(std::vector<bool> calls) : calls_(std::move(calls)) {}
  void StartEpisode() override { step_ = 0; }
  core::SwitchChoice Choose(const core::SwitcherInput&) override {
    const bool call = step_ < calls_.size() && calls_[step_];
    ++step_;
    return {.activate = call};
  }

 private:
  const std::vector<bool> calls_;
  std::size_t step_ = 0;
};

}  // namespace

void HindsightOptions::Validate() const {
  if (max_nodes >= 1) return;
  throw core::ConfigError({.what = "the hindsight oracle may look into " +
                                   std::to_string(max_nodes) + " states of an episode",
                           .why = "the first one is a state, too.",
                           .fix = "set evaluation.oracle_nodes to 1 or more, for example 2000."});
}

std::optional<HindsightPlan> FindHindsightPlan(const EpisodeTerms& terms,
                                               std::uint64_t session,
                                               const HindsightOptions& options,
                                               const HindsightParts& parts) {
  options.Validate();
  if (terms.budget >= 0 && terms.meter.unit() != core::BudgetUnit::kCalls) {
    throw core::ConfigError({.what = std::string("the best in hindsight under a budget of ") +
                                     core::UnitName(terms.meter.unit()),
                             .why = "the search knows budgets of calls only",
                             .fix = "do without evaluation.oracle, or without evaluation.budgets"});
  }
  return Search(terms, session, options, parts).Run();
}

void RequireClones(core::Environment& environment) {
  environment.Reset(0);
  if (environment.Clone() == nullptr) ThrowCannotCopy();
}

std::unique_ptr<core::Switcher> MakePlannedSwitcher(std::vector<bool> calls) {
  return std::make_unique<PlannedSwitcher>(std::move(calls));
}

}  // namespace londi::actors
