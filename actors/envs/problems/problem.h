#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/environment.h"

// Small problems whose best Switcher is known exactly (algorithms.md 5, VP1 to VP8). Each is a walk
// of a fixed number of steps, which a wrong choice may end early. Everywhere the first action is
// what QUICK would do without thinking and the last one is what DEEPTHINK knows to be right, so
// that LMs which follow this rule make the two-action MDP of the published values of it.
namespace londi::actors::problems {

// The rules of one problem; no state. What is random is a function of the episode's seed and the
// step, never of what was done before: policies meet the same luck on the same seed.
class Problem {
 public:
  virtual ~Problem() = default;

  virtual std::string name() const = 0;  // The environment is "problems/<name>".
  virtual std::string Mission() const = 0;
  virtual int NumSteps() const = 0;  // >= 1

  // What is seen at `step`, 0 <= step < NumSteps(), besides where one is.
  virtual std::vector<std::string> Sentences(std::uint64_t seed, int step) const = 0;

  virtual std::vector<std::string> Actions(int step) const = 0;

  struct Outcome {
    bool survives = true;  // False: the episode ends here.
    double reward = 0;
  };
  virtual Outcome Act(std::uint64_t seed, int step, std::size_t action) const = 0;

 protected:
  // Uniform in [0, 1), one for each (seed, step, stream).
  static double Draw(std::uint64_t seed, int step, std::uint64_t stream);
};

// "Place 3 of 10", and what the problem adds. The episode terminates behind the last place or where
// the walker does not survive; stepping on after the end changes nothing.
class ProblemEnvironment final : public core::Environment {
 public:
  explicit ProblemEnvironment(std::shared_ptr<const Problem> problem);

  core::Observation Reset(std::uint64_t seed) override;
  core::StepResult Step(std::string_view action) override;
  std::vector<std::string> AdmissibleActions() const override;
  int MaxSteps() const override { return problem_->NumSteps(); }
  double MaxRewardAhead() const override;  // As if one survived whatever one does.
  std::string Kind() const override { return problem_->name(); }
  std::unique_ptr<core::Environment> Clone() const override;

 private:
  core::Observation Look() const;
  int Here() const;  // The place, also after the end.

  std::shared_ptr<const Problem> problem_;
  std::uint64_t seed_ = 0;
  int step_ = 0;
  bool over_ = false;
};

}  // namespace londi::actors::problems
