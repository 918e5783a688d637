#include "actors/envs/problems/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/random.h"

namespace londi::actors::problems {

double Problem::Draw(std::uint64_t seed, int step, std::uint64_t stream) {
  return Random(MixWords({seed, static_cast<std::uint64_t>(step), stream})).Uniform();
}

ProblemEnvironment::ProblemEnvironment(std::shared_ptr<const Problem> problem)
    : problem_(std::move(problem)) {}

core::Observation ProblemEnvironment::Reset(std::uint64_t seed) {
  seed_ = seed;
  step_ = 0;
  over_ = false;
  return Look();
}

core::StepResult ProblemEnvironment::Step(std::string_view action) {
  const std::vector<std::string> actions = AdmissibleActions();
  const auto chosen = std::ranges::find(actions, action);
  if (chosen == actions.end()) core::ThrowInadmissible(action, actions);

  core::StepResult result;
  if (!over_) {
    const auto outcome =
        problem_->Act(seed_, step_, static_cast<std::size_t>(chosen - actions.begin()));
    ++step_;
    result.reward = outcome.reward;
    over_ = !outcome.survives || step_ == problem_->NumSteps();
  }
  result.terminated = over_;
  result.truncated = step_ == problem_->NumSteps();
  result.observation = Look();
  return result;
}

double ProblemEnvironment::MaxRewardAhead() const {
  double sum = 0;
  for (int step = step_; !over_ && step < problem_->NumSteps(); ++step) {
    double best = 0;
    for (std::size_t action = 0; action < problem_->Actions(step).size(); ++action)
      best = std::max(best, problem_->Act(seed_, step, action).reward);
    sum += best;
  }
  return sum;
}

std::vector<std::string> ProblemEnvironment::AdmissibleActions() const {
  return problem_->Actions(Here());
}

std::unique_ptr<core::Environment> ProblemEnvironment::Clone() const {
  return std::make_unique<ProblemEnvironment>(*this);
}

core::Observation ProblemEnvironment::Look() const {
  core::Observation seen{.mission = problem_->Mission()};
  seen.sentences.push_back(fmt::format("Place {} of {}", Here(), problem_->NumSteps()));
  for (std::string& sentence : problem_->Sentences(seed_, Here()))
    seen.sentences.push_back(std::move(sentence));
  return seen;
}

int ProblemEnvironment::Here() const { return std::min(step_, problem_->NumSteps() - 1); }

}  // namespace londi::actors::problems
