#include "learner/algorithms/sac.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "core/error.h"
#include "learner/algorithms/sac_loss.h"
#include "learner/algorithms/stopwatch.h"
#include "learner/algorithms/tensors.h"
#include "learner/algorithms/trained_mlp.h"

namespace londi::learner {
namespace {

constexpr const char* kArchitecture = "sac";  // Of the checkpoint: policy and critics.

struct Critic : TrainedMlp {
  Critic(const NetworkOptions& options, int num_features, at::Device device, std::uint64_t seed)
      : TrainedMlp(ShapeOf(options, num_features, 2), "values", options.adam, device, seed),
        target(ShapeOf(options, num_features, 2), "values", device, /*gradient=*/false, seed) {}

  Mlp target;
};

class Sac final : public Algorithm {
 public:
  Sac(const SacOptions& options, int num_features, const std::string& device, std::uint64_t seed)
      : options_(options),
        num_features_(num_features),
        device_(device),
        policy_(options.network, num_features, device_, seed),
        critics_{Critic(options.network, num_features, device_, seed + 1),
                 Critic(options.network, num_features, device_, seed + 2)},
        temperature_(options.temperature) {}

  UpdateResult Update(const Batch& batch) override {
    UpdateResult result;
    Stopwatch watch;
    const at::Tensor inputs = InputsOn(device_, batch);
    const std::vector<SacStep> steps =
        MakeSacSteps(batch, static_cast<float>(options_.overdraft_penalty));
    const std::vector<float> targets =
        MakeTargets(steps, inputs.narrow(0, batch.num_states, batch.num_successors));
    result.rows_forward = 3 * batch.num_successors;
    result.targets_ms = watch.Lap();

    const at::Tensor states = inputs.narrow(0, 0, batch.num_states);
    for (Critic& critic : critics_) critic.network.Forward(states, critic.pass);
    policy_.network.Forward(states, policy_.pass);
    result.forward_ms = watch.Lap();

    Descend(batch, steps, targets, result);
    result.backward_ms = watch.Lap();

    Step(result);
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
    state.arrays.push_back({"temperature", {1}, {temperature_}});
    state.counters["adam_step"] = policy_.adam.num_steps();
    return state;
  }

  void Restore(const AlgorithmState& state) override {
    RequireArchitecture(state, kArchitecture);
    const auto temperature =
        std::ranges::find(state.arrays, "temperature", &core::NamedArray::name);
    if (temperature == state.arrays.end() || temperature->values.size() != 1) {
      throw core::ModelError({.what = "the checkpoint has no temperature",
                              .why = "a policy's entropy is weighed with it",
                              .fix = "resume from an older checkpoint of the run"});
    }
    RestoreFlats(state, Flats());
    temperature_ = temperature->values[0];
    for (TrainedMlp* trained : Networks()) trained->adam.set_num_steps(state.Counter("adam_step"));
  }

 private:
  std::array<TrainedMlp*, 3> Networks() { return {&policy_, &critics_[0], &critics_[1]}; }

  std::vector<SavedFlat> Flats() const {
    std::vector<SavedFlat> flats = FlatsOf("policy", policy_);
    for (std::size_t i = 0; i < critics_.size(); ++i) {
      const std::string name = "critic." + std::to_string(i);
      for (SavedFlat& flat : FlatsOf(name, critics_[i])) flats.push_back(std::move(flat));
      flats.push_back({name + ".target.", &critics_[i].target.layout(), critics_[i].target.flat()});
    }
    return flats;
  }

  static std::span<ActionValues> AsValues(const at::Tensor& host) {
    return {reinterpret_cast<ActionValues*>(host.data_ptr<float>()),
            static_cast<std::size_t>(host.size(0))};
  }

  static std::vector<ActionValues> Smaller(std::span<const ActionValues> a,
                                           std::span<const ActionValues> b) {
    std::vector<ActionValues> smaller;
    for (std::size_t i = 0; i < a.size(); ++i) smaller.push_back(learner::Smaller(a[i], b[i]));
    return smaller;
  }

  std::vector<float> MakeTargets(std::span<const SacStep> steps,
                                 const at::Tensor& successors) const {
    const at::Tensor logits = policy_.network.Evaluate(successors);
    const at::Tensor a = critics_[0].target.Evaluate(successors);
    const at::Tensor b = critics_[1].target.Evaluate(successors);
    return MakeSacTargets(steps, AsFloats(logits), Smaller(AsValues(a), AsValues(b)), temperature_);
  }

  // Losses and gradients of all three networks.
  void Descend(const Batch& batch,
               std::span<const SacStep> steps,
               std::span<const float> targets,
               UpdateResult& result) {
    result.errors.assign(static_cast<std::size_t>(batch.num_states), 0.0f);
    for (Critic& critic : critics_) {
      const at::Tensor gradient = at::empty_like(critic.pass.outputs);
      result.loss_return += ComputeCriticLoss(
          steps, AsValues(critic.pass.outputs), targets, AsValues(gradient), result.errors);
      critic.network.Backward(critic.pass, gradient);
    }
    for (const float target : targets)
      result.mean_target_return += target / static_cast<double>(targets.size());

    const at::Tensor gradient = at::empty_like(policy_.pass.outputs);
    const SacPolicyLoss loss = ComputeSacPolicyLoss(
        batch,
        AsFloats(policy_.pass.outputs),
        Smaller(AsValues(critics_[0].pass.outputs), AsValues(critics_[1].pass.outputs)),
        temperature_,
        AsFloats(gradient));
    policy_.network.Backward(policy_.pass, gradient);
    result.loss_policy = loss.loss;
    result.policy_entropy = loss.entropy;
  }

  void Step(UpdateResult& result) {
    result.skipped = !StepTogether(Networks(), progress(), result.gradient_norm);
    if (result.skipped) return;
    for (Critic& critic : critics_)
      critic.target.flat().lerp_(critic.network.flat(), options_.target_rate);
    if (options_.target_entropy > 0) TuneTemperature(result.policy_entropy);
  }

  // Gradient descent on ln alpha * (entropy - target). Never above what it began with, which is
  // what a user has weighed against the cost.
  void TuneTemperature(double entropy) {
    const double excess = entropy - options_.target_entropy;
    const double tuned = temperature_ * std::exp(-options_.network.adam.learning_rate * excess);
    temperature_ = static_cast<float>(std::min(tuned, options_.temperature));
  }

  const SacOptions options_;
  const int num_features_;
  const at::Device device_;
  TrainedPolicy policy_;
  std::array<Critic, 2> critics_;
  float temperature_;  // alpha
};

}  // namespace

void SacOptions::Validate() const {
  network.Validate("learner.sac");
  RequireWithin(target_rate > 0 && target_rate <= 1,
                "learner.sac.target_rate",
                target_rate,
                "a value above 0 and up to 1");
  RequireWithin(temperature > 0, "learner.sac.temperature", temperature, "a value above 0");
  RequireWithin(target_entropy >= 0 && target_entropy < std::log(2),
                "learner.sac.target_entropy",
                target_entropy,
                "0, or less than ln 2, a fair coin's");
  RequireWithin(
      overdraft_penalty > 0, "learner.sac.overdraft_penalty", overdraft_penalty, "a value above 0");
}

std::unique_ptr<Algorithm> MakeSac(const SacOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed) {
  options.Validate();
  return std::make_unique<Sac>(options, num_features, device, seed);
}

}  // namespace londi::learner
