#include "learner/algorithms/algorithm.h"

#include "core/error.h"

namespace londi::learner {

void RequireArchitecture(const AlgorithmState& state, std::string_view architecture) {
  if (state.architecture == architecture) return;
  throw core::ModelError(
      {.what = "the checkpoint holds a network of architecture '" + state.architecture + "'",
       .why = "the configured algorithm trains '" + std::string(architecture) + "'",
       .fix = "set learner.algorithm as in the run's resolved configuration, or start a new run "
              "folder"});
}

}  // namespace londi::learner
