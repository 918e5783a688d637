#include "actors/envs/problems/chain.h"

#include <utility>

namespace londi::actors::problems {
namespace {

std::vector<std::vector<Chain::Action>> SafePlaces(int count) {
  return std::vector(static_cast<std::size_t>(count), std::vector<Chain::Action>{{"go on", 1}});
}

void SetRisk(Chain& chain, int place, double quick, double deepthink) {
  chain.places[static_cast<std::size_t>(place)] = {{"rush", quick}, {"take care", deepthink}};
}

class ChainProblem final : public Problem {
 public:
  explicit ChainProblem(Chain chain) : chain_(std::move(chain)) {}

  std::string name() const override { return chain_.name; }
  std::string Mission() const override { return "get to the end alive"; }
  int NumSteps() const override { return chain_.size(); }
  std::vector<std::string> Sentences(std::uint64_t, int) const override { return {}; }

  std::vector<std::string> Actions(int step) const override {
    std::vector<std::string> actions;
    for (const Chain::Action& action : At(step)) actions.push_back(action.text);
    return actions;
  }

  Outcome Act(std::uint64_t seed, int step, std::size_t action) const override {
    const bool survives = Draw(seed, step, 0) < At(step)[action].survival;
    return {.survives = survives, .reward = survives && step + 1 == chain_.size() ? 1.0 : 0.0};
  }

 private:
  const std::vector<Chain::Action>& At(int step) const {
    return chain_.places[static_cast<std::size_t>(step)];
  }

  const Chain chain_;
};

}  // namespace

double Chain::Survival(int place, bool g) const {
  const auto& actions = places[static_cast<std::size_t>(place)];
  return (g ? actions.back() : actions.front()).survival;
}

Chain CriticalChain() {
  Chain chain{.name = "critical-chain", .places = SafePlaces(10)};
  for (const int place : {2, 5, 8}) SetRisk(chain, place, 0.5, 0.95);
  return chain;
}

Chain HeterogeneousChain() {
  Chain chain{.name = "heterogeneous-chain", .places = SafePlaces(10)};
  SetRisk(chain, 2, 0.9, 0.95);
  SetRisk(chain, 5, 0.3, 0.95);
  SetRisk(chain, 8, 0.6, 0.95);
  return chain;
}

Chain TwoKeysChain() {
  Chain chain{.name = "two-keys", .places = SafePlaces(6)};
  for (const int place : {1, 4}) SetRisk(chain, place, 0, 1);
  return chain;
}

Chain DecoyChain() {
  Chain chain{.name = "decoy", .places = SafePlaces(8)};
  for (const std::size_t place : {1u, 3u, 5u})
    chain.places[place] = {{"go north", 1}, {"go east", 1}, {"go south", 1}, {"go west", 1}};
  SetRisk(chain, 6, 0, 1);
  return chain;
}

std::shared_ptr<const Problem> MakeChainProblem(Chain chain) {
  return std::make_shared<ChainProblem>(std::move(chain));
}

}  // namespace londi::actors::problems
