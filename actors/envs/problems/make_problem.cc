#include "actors/envs/problems/make_problem.h"

#include <array>

#include "actors/envs/problems/assignment.h"
#include "actors/envs/problems/chain.h"
#include "actors/envs/problems/memory.h"
#include "actors/envs/problems/problem.h"
#include "actors/envs/problems/proposal_gate.h"

namespace londi::actors::problems {
namespace {

// The visible table: a new problem is a new line here.
std::array<std::shared_ptr<const Problem>, 7> AllProblems() {
  return {MakeChainProblem(CriticalChain()),
          MakeChainProblem(HeterogeneousChain()),
          MakeChainProblem(TwoKeysChain()),
          MakeChainProblem(DecoyChain()),
          MakeAssignmentProblem(),
          MakeProposalGateProblem(),
          MakeMemoryProblem()};
}

}  // namespace

std::vector<std::string> ProblemNames() {
  std::vector<std::string> names;
  for (const auto& problem : AllProblems()) names.push_back(problem->name());
  return names;
}

std::unique_ptr<core::Environment> MakeProblemEnvironment(std::string_view name) {
  for (auto& problem : AllProblems()) {
    if (problem->name() == name) return std::make_unique<ProblemEnvironment>(std::move(problem));
  }
  return nullptr;
}

}  // namespace londi::actors::problems
