#include "learner/algorithms/ppo.h"

#include <ATen/ATen.h>

#include <array>
#include <cmath>

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
        policy_(options.network, num_features, device_, seed),
        critic_(ShapeOf(options.network, num_features, 1),
                "value",
                options.network.adam,
                device_,
                seed + 1) {}

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

    result.skipped = !StepTogether(Networks(), progress(), result.gradient_norm);
    result.optimizer_ms = watch.Lap();
    return result;
  }

  std::shared_ptr<const core::WeightsSnapshot> Export(core::WeightsVersion version) const override {
    return policy_.Export(version);
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
    for (TrainedMlp* trained : Networks()) trained->adam.set_num_steps(state.Counter("adam_step"));
  }

 private:
  std::array<TrainedMlp*, 2> Networks() { return {&policy_, &critic_}; }

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

    NormalizeAdvantages(batch, estimates);
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
  TrainedPolicy policy_;
  TrainedMlp critic_;
};

}  // namespace

void PpoOptions::Validate() const {
  network.Validate("learner.ppo");
  RequireWithin(clip > 0 && clip < 1, "learner.ppo.clip", clip, "a value between 0 and 1");
  RequireWithin(gae_lambda >= 0 && gae_lambda <= 1, "learner.ppo.gae_lambda", gae_lambda, "0 to 1");
  RequireWithin(entropy_weight >= 0, "learner.ppo.entropy_weight", entropy_weight, "0 or more");
}

std::unique_ptr<Algorithm> MakePpo(const PpoOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed) {
  options.Validate();
  return std::make_unique<Ppo>(options, num_features, device, seed);
}

}  // namespace londi::learner
