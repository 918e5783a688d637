#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/weights.h"
#include "learner/algorithms/adam.h"
#include "learner/algorithms/algorithm.h"
#include "learner/algorithms/mlp.h"
#include "learner/algorithms/network_options.h"
#include "learner/algorithms/parameters.h"

namespace londi::learner {

// A network that is trained: with its gradient, its optimizer and the memory of its last pass.
struct TrainedMlp {
  TrainedMlp(const Mlp::Shape& shape,
             std::string head,
             const AdamOptions& options,
             at::Device device,
             std::uint64_t seed)
      : network(shape, std::move(head), device, /*gradient=*/true, seed),
        adam(options, network.flat()) {}

  double GradientNorm() const;

  Mlp network;
  Adam adam;
  Mlp::Pass pass;
};

// Of a network that reads a row's features and context.
Mlp::Shape ShapeOf(const NetworkOptions& options, int num_features, int num_outputs);

// The network of core/policy_network.h; a fair coin at first.
struct TrainedPolicy : TrainedMlp {
  TrainedPolicy(const NetworkOptions& options,
                int num_features,
                at::Device device,
                std::uint64_t seed);

  std::shared_ptr<const core::WeightsSnapshot> Export(core::WeightsVersion version) const;
};

// Steps all of them, unless a gradient is not finite: nothing is changed then, and false returned.
// `progress`: of the run, 0..1. `norm`: of all gradients together.
bool StepTogether(std::span<TrainedMlp* const> networks, double progress, double& norm);

// A tensor of an algorithm's state, saved as arrays of that layout.
struct SavedFlat {
  std::string prefix;
  const ParameterLayout* layout;
  at::Tensor flat;
};

// Weights and moments, "<name>." and "<name>.adam....".
std::vector<SavedFlat> FlatsOf(const std::string& name, const TrainedMlp& trained);

void SaveFlats(std::span<const SavedFlat> flats, AlgorithmState& state);

// Throws core::ModelError when an array is missing or has another shape; nothing has changed then.
void RestoreFlats(const AlgorithmState& state, std::span<const SavedFlat> flats);

}  // namespace londi::learner
