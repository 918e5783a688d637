#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace londi::core {

// What an agent is told after a reset or a step.
struct Observation {
  std::string mission;  // The task in words; constant within an episode.
  std::vector<std::string>
      sentences;  // What is seen now, in the environment's order; may be empty.
};

struct StepResult {
  Observation observation;
  double reward = 0;  // Task reward of this step, the environment's own units.
  bool terminated =
      false;  // The task ended (success or failure): the value of the next state is 0.
  bool truncated =
      false;  // The step limit ended it. Both may be true: then it counts as terminated.
  bool done() const { return terminated || truncated; }
};

// A text environment; one episode at a time, used by one thread.
class Environment {
 public:
  virtual ~Environment() = default;

  // Starts an episode. The same seed gives the same episode, whatever happened before.
  virtual Observation Reset(std::uint64_t seed) = 0;

  // Executes one of AdmissibleActions(). Throws core::Error for a text that is none of them.
  virtual StepResult Step(std::string_view action) = 0;

  // The texts accepted now, never empty before the episode's end; the order is stable.
  virtual std::vector<std::string> AdmissibleActions() const = 0;

  // Steps after which an episode is truncated at the latest; known after Reset.
  virtual int MaxSteps() const = 0;

  // No episode that goes on from here can earn more task reward than this, in sum; 0 after the
  // episode's end, infinity where nothing is known. May see the future: it is for searches that do.
  virtual double MaxRewardAhead() const { return std::numeric_limits<double>::infinity(); }

  // Kind of task of the current episode (for tables), e.g. "goto" or "open".
  virtual std::string Kind() const = 0;

  // An independent copy in the same state, or nullptr where the environment cannot be copied.
  virtual std::unique_ptr<Environment> Clone() const = 0;
};

// A teacher that knows the environment's true state: demonstrations and DAgger labels.
class Expert {
 public:
  virtual ~Expert() = default;

  // Forgets everything: call it right after Environment::Reset.
  virtual void Reset() = 0;

  // The action the expert would take now; empty when it gives up (no plan within its work limit).
  // `previous_action` is what was executed since the last call ("" on the first one), which need
  // not be what was advised (Ross et al. 2011, DAgger).
  virtual std::string Advise(std::string_view previous_action) = 0;
};

struct EnvironmentWithExpert {
  std::unique_ptr<Environment> environment;
  std::unique_ptr<Expert> expert;  // Refers to `environment`; nullptr where there is no expert.
};

// Environment::Step with a text that is not admissible.
[[noreturn]] void ThrowInadmissible(std::string_view action,
                                    const std::vector<std::string>& admissible);

}  // namespace londi::core
