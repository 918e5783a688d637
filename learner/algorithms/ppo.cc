#include "learner/algorithms/ppo.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

#include "core/error.h"
#include "core/policy_network.h"
#include "core/switcher.h"
#include "learner/algorithms/ppo_loss.h"
#include "learner/algorithms/stopwatch.h"
#include "learner/algorithms/tensors.h"
#include "learner/algorithms/trained_mlp.h"

namespace londi::learner {
namespace {

constexpr const char* kArchitecture = "ppo";  // Of the checkpoint: policy and critic.

class Ppo final : public Algorithm {
 public:
  Ppo(const PpoOptions& options, int num_features, const std::string& device, std::uint64_t seed)
      : options_(options),
        num_features_(num_features),
        device_(device),
        policy_(Shape(), std::string(core::policy_network::kHead), Optimizer(), device_, seed),
        critic_(Shape(), "value", Optimizer(), device_, seed + 1) {}

  UpdateResult Update(const Batch& batch) override {
    UpdateResult result;
    Stopwatch watch;
    const at::Tensor inputs = InputsOn(device_, batch);
    const at::Tensor after =
        critic_.network.Evaluate(inputs.narrow(0, batch.num_states, batch.num_successors));
    result.rows_forward = batch.num_successors;
    result.targets_ms = watch.Lap();

    const at::Tensor states = inputs.narrow(0, 0, batch.num_states);
    policy_.network.Forward(states, policy_.pass);
    critic_.network.Forward(states, critic_.pass);
    result.forward_ms = watch.Lap();

    Descend(batch, AsFloats(after), result);
    result.backward_ms = watch.Lap();

    const std::array<TrainedMlp*, 2> both{&policy_, &critic_};
    result.skipped = !StepTogether(both, result.gradient_norm);
    result.optimizer_ms = watch.Lap();
    return result;
  }

  std::shared_ptr<const core::WeightsSnapshot> Export(core::WeightsVersion version) const override {
    auto snapshot = std::make_shared<core::WeightsSnapshot>();
    snapshot->version = version;
    snapshot->architecture = core::policy_network::kArchitecture;
    snapshot->arrays = policy_.network.layout().ToArrays(policy_.network.flat(), "");
    return snapshot;
  }

  int num_features() const override { return num_features_; }

  AlgorithmState Save() const override {
    AlgorithmState state{.architecture = kArchitecture};
    SaveFlats(Flats(), state);
    state.counters["adam_step"] = policy_.adam.num_steps();
    return state;
  }

  void Restore(const AlgorithmState& state) override {
    RequireArchitecture(state, kArchitecture);
    RestoreFlats(state, Flats());
    const auto found = state.counters.find("adam_step");
    const std::int64_t steps = found == state.counters.end() ? 0 : found->second;
    for (TrainedMlp* trained : {&policy_, &critic_}) trained->adam.set_num_steps(steps);
  }

 private:
  Mlp::Shape Shape() const {
    return {.num_inputs = num_features_ + core::kNumContextInputs,
            .width = options_.width,
            .layers = options_.layers};
  }

  AdamOptions Optimizer() const {
    return {.learning_rate = options_.learning_rate,
            .final_learning_rate = options_.final_learning_rate,
            .decay_updates = options_.decay_updates,
            .epsilon = options_.adam_epsilon,
            .max_gradient_norm = options_.max_gradient_norm};
  }

  std::vector<SavedFlat> Flats() const {
    std::vector<SavedFlat> flats = FlatsOf("policy", policy_);
    for (SavedFlat& flat : FlatsOf("critic", critic_)) flats.push_back(std::move(flat));
    return flats;
  }

  // Losses and gradients of both networks.
  void Descend(const Batch& batch, std::span<const float> after, UpdateResult& result) {
    const std::span<const float> values = AsFloats(critic_.pass.outputs);
    std::vector<AdvantageEstimate> estimates =
        EstimateAdvantages(batch, values, after, options_.gae_lambda);
    for (const AdvantageEstimate& estimate : estimates) {
      result.errors.push_back(std::abs(estimate.advantage));
      result.mean_target_return += estimate.value / static_cast<double>(estimates.size());
    }
    const at::Tensor of_values = at::empty_like(critic_.pass.outputs);
    result.loss_return = ComputeValueLoss(values, estimates, AsFloats(of_values));
    critic_.network.Backward(critic_.pass, of_values);

    NormalizeAdvantages(estimates);
    const at::Tensor of_logits = at::empty_like(policy_.pass.outputs);
    const PpoLoss loss = ComputePpoLoss(batch,
                                        AsFloats(policy_.pass.outputs),
                                        estimates,
                                        options_.clip,
                                        options_.entropy_weight,
                                        AsFloats(of_logits));
    policy_.network.Backward(policy_.pass, of_logits);
    result.loss_policy = loss.loss;
    result.policy_entropy = loss.entropy;
  }

  const PpoOptions options_;
  const int num_features_;
  const at::Device device_;
  TrainedMlp policy_;
  TrainedMlp critic_;
};

void Require(bool holds, const char* key, double value, const char* limits) {
  if (holds) return;
  throw core::ConfigError(
      {.what = std::string("learner.ppo.") + key + " is " + std::to_string(value),
       .why = "training cannot work with it",
       .fix = std::string("set it to ") + limits});
}

}  // namespace

void PpoOptions::Validate() const {
  Require(width >= 8 && width <= 4096, "width", width, "8 to 4096");
  Require(layers >= 1 && layers <= 8, "layers", layers, "1 to 8");
  Require(learning_rate > 0 && learning_rate < 1,
          "learning_rate",
          learning_rate,
          "a value above 0 and below 1");
  Require(final_learning_rate > 0 && final_learning_rate <= learning_rate,
          "final_learning_rate",
          final_learning_rate,
          "a value above 0, not above learning_rate");
  Require(decay_updates >= 0, "decay_updates", static_cast<double>(decay_updates), "0 or more");
  Require(adam_epsilon > 0, "adam_epsilon", adam_epsilon, "a value above 0");
  Require(max_gradient_norm > 0, "max_gradient_norm", max_gradient_norm, "a value above 0");
  Require(clip > 0 && clip < 1, "clip", clip, "a value between 0 and 1");
  Require(gae_lambda >= 0 && gae_lambda <= 1, "gae_lambda", gae_lambda, "0 to 1");
  Require(entropy_weight >= 0, "entropy_weight", entropy_weight, "0 or more");
}

std::unique_ptr<Algorithm> MakePpo(const PpoOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed) {
  options.Validate();
  return std::make_unique<Ppo>(options, num_features, device, seed);
}

}  // namespace londi::learner
