#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/envs/problems/problem.h"

namespace londi::actors::problems {

// Places that must be passed one after the other; reward 1 behind the last. Probability of survival
// by place and action.
struct Chain {
  struct Action {
    std::string text;
    double survival = 1;  // 0..1
  };
  std::string name;
  std::vector<std::vector<Action>> places;  // At least one action each.

  int size() const { return static_cast<int>(places.size()); }
  // Of QUICK's (g = false) or DEEPTHINK's action.
  double Survival(int place, bool g) const;
};

// VP1: three places of equal risk; the later, the more a call is worth. Uncertainty is the same at
// all three.
Chain CriticalChain();
// VP2: three places of different risk: the only call belongs to the second.
Chain HeterogeneousChain();
// VP3: two places that only DEEPTHINK passes: one call alone is worth nothing.
Chain TwoKeysChain();
// VP4: QUICK does not know which of four equal ways to go, where it does not matter; and is sure
// where it is wrong.
Chain DecoyChain();

std::shared_ptr<const Problem> MakeChainProblem(Chain chain);

}  // namespace londi::actors::problems
