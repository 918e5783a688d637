#include "actors/envs/problems/assignment.h"

#include <fmt/format.h>

namespace londi::actors::problems {
namespace {

class AssignmentProblem final : public Problem {
 public:
  std::string name() const override { return "assignment"; }
  std::string Mission() const override { return "take the best of what is offered"; }
  int NumSteps() const override { return kAssignmentSteps; }

  std::vector<std::string> Sentences(std::uint64_t seed, int step) const override {
    return {fmt::format("Gain {} of {}", HalfLevels(seed, step), 2 * kGainLevels)};
  }

  std::vector<std::string> Actions(int) const override { return {"let it pass", "take it"}; }

  Outcome Act(std::uint64_t seed, int step, std::size_t action) const override {
    return {.reward = action == 1 ? HalfLevels(seed, step) / (2.0 * kGainLevels) : 0.0};
  }

 private:
  static int HalfLevels(std::uint64_t seed, int step) {
    return 2 * static_cast<int>(Draw(seed, step, 0) * kGainLevels) + 1;
  }
};

}  // namespace

std::shared_ptr<const Problem> MakeAssignmentProblem() {
  return std::make_shared<AssignmentProblem>();
}

}  // namespace londi::actors::problems
