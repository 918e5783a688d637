#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/dqn.h"
#include "learner/algorithms/ppo.h"
#include "learner/algorithms/sac.h"

namespace londi::learner {

struct AlgorithmOptions {
  std::string name = "dqn";  // One of AlgorithmNames().
  DqnOptions dqn;
  SacOptions sac;
  PpoOptions ppo;
  int memory_window() const;  // Of the network's memory; 0 = it has none.
  void Validate() const;      // Throws core::ConfigError.
};

std::vector<std::string> AlgorithmNames();

// Whether it learns about the policy that acted: from rollouts instead of the replay. Throws
// core::ConfigError listing the known names.
bool IsOnPolicy(const std::string& name);

// Throws core::ConfigError listing the known names. Arguments as MakeDqn's.
std::unique_ptr<Algorithm> MakeAlgorithm(const AlgorithmOptions& options,
                                         int num_features,
                                         const std::string& device,
                                         std::uint64_t seed);

}  // namespace londi::learner
