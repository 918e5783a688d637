#include "learner/algorithms/algorithm.h"

#include "core/error.h"

namespace londi::learner {

std::int64_t AlgorithmState::Counter(const std::string& name) const {
  const auto found = counters.find(name);
  return found == counters.end() ? 0 : found->second;
}

void RequireArchitecture(const AlgorithmState& state, std::string_view architecture) {
  if (state.architecture == architecture) return;
  throw core::ModelError(
      {.what = "the checkpoint holds a network of architecture '" + state.architecture + "'",
       .why = "the configured algorithm trains '" + std::string(architecture) + "'",
       .fix = "set learner.algorithm as in the run's resolved configuration, or start a new run "
              "folder"});
}

}  // namespace londi::learner
