#include "actors/envs/problems/proposal_gate.h"

#include <fmt/format.h>

namespace londi::actors::problems {
namespace {

class ProposalGateProblem final : public Problem {
 public:
  std::string name() const override { return "proposal-gate"; }
  std::string Mission() const override { return "give the right answer"; }
  int NumSteps() const override { return 1; }

  std::vector<std::string> Sentences(std::uint64_t seed, int step) const override {
    const double which = Draw(seed, step, 0) * static_cast<double>(kGateOdds.size());
    return {fmt::format("Odds {} of 1000", kGateOdds[static_cast<std::size_t>(which)]),
            fmt::format("Die {} of 1000", static_cast<int>(Draw(seed, step, 1) * 1000))};
  }

  std::vector<std::string> Actions(int) const override { return {"guess", "answer"}; }

  Outcome Act(std::uint64_t, int, std::size_t action) const override {
    return {.reward = action == 1 ? 1.0 : 0.0};
  }
};

}  // namespace

std::shared_ptr<const Problem> MakeProposalGateProblem() {
  return std::make_shared<ProposalGateProblem>();
}

}  // namespace londi::actors::problems
