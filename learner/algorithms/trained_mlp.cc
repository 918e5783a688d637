#include "learner/algorithms/trained_mlp.h"

#include <ATen/ATen.h>

#include <cmath>

#include "core/policy_network.h"
#include "core/switcher.h"

namespace londi::learner {

double TrainedMlp::GradientNorm() const { return network.flat_gradient().norm().item<double>(); }

Mlp::Shape ShapeOf(const NetworkOptions& options, int num_features, int num_outputs) {
  return {.num_inputs = num_features + core::kNumContextInputs,
          .width = options.width,
          .layers = options.layers,
          .num_outputs = num_outputs};
}

TrainedPolicy::TrainedPolicy(const NetworkOptions& options,
                             int num_features,
                             at::Device device,
                             std::uint64_t seed)
    : TrainedMlp(ShapeOf(options, num_features, 1),
                 std::string(core::policy_network::kHead),
                 options.adam,
                 device,
                 seed) {}

std::shared_ptr<const core::WeightsSnapshot> TrainedPolicy::Export(
    core::WeightsVersion version) const {
  auto snapshot = std::make_shared<core::WeightsSnapshot>();
  snapshot->version = version;
  snapshot->architecture = core::policy_network::kArchitecture;
  snapshot->arrays = network.layout().ToArrays(network.flat(), "");
  return snapshot;
}

bool StepTogether(std::span<TrainedMlp* const> networks, double progress, double& norm) {
  std::vector<double> norms;
  double squares = 0;
  for (const TrainedMlp* trained : networks) {
    norms.push_back(trained->GradientNorm());
    squares += norms.back() * norms.back();
  }
  norm = std::sqrt(squares);
  if (!std::isfinite(norm)) return false;
  for (std::size_t i = 0; i < networks.size(); ++i) {
    const Mlp& network = networks[i]->network;
    networks[i]->adam.Step(network.flat(), network.flat_gradient(), norms[i], progress);
  }
  return true;
}

std::vector<SavedFlat> FlatsOf(const std::string& name, const TrainedMlp& trained) {
  const ParameterLayout* layout = &trained.network.layout();
  std::vector<SavedFlat> flats{{name + ".", layout, trained.network.flat()}};
  for (const auto& [moment, flat] : trained.adam.moments())
    flats.push_back({name + ".adam." + moment, layout, flat});
  return flats;
}

void SaveFlats(std::span<const SavedFlat> flats, AlgorithmState& state) {
  for (const SavedFlat& saved : flats) {
    for (core::NamedArray& array : saved.layout->ToArrays(saved.flat, saved.prefix))
      state.arrays.push_back(std::move(array));
  }
}

void RestoreFlats(const AlgorithmState& state, std::span<const SavedFlat> flats) {
  for (const SavedFlat& saved : flats) {
    const at::Tensor scratch = at::empty_like(saved.flat);
    saved.layout->FromArrays(state.arrays, saved.prefix, scratch);  // May throw.
  }
  for (const SavedFlat& saved : flats)
    saved.layout->FromArrays(state.arrays, saved.prefix, saved.flat);
}

}  // namespace londi::learner
