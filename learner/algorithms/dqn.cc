#include "learner/algorithms/dqn.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "core/error.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "learner/algorithms/adam.h"
#include "learner/algorithms/dueling_loss.h"
#include "learner/algorithms/dueling_network.h"
#include "learner/algorithms/retrace.h"
#include "learner/algorithms/stopwatch.h"
#include "learner/algorithms/tensors.h"

namespace londi::learner {
namespace {

class Dqn final : public Algorithm {
 public:
  Dqn(const DqnOptions& options, int num_features, const std::string& device, std::uint64_t seed)
      : options_(options),
        num_features_(num_features),
        shape_{num_features + options.memory.width + core::kNumContextInputs,
               options.network.width,
               options.network.layers,
               options.disagreement_width,
               options.branching,
               options.memory.width},
        device_(device),
        online_(shape_, device_, /*gradient=*/true),
        target_(shape_, device_, /*gradient=*/false),
        adam_(options.network.adam, online_.flat()) {
    online_.Initialize(seed);
    target_.flat().copy_(online_.flat());
  }

  UpdateResult Update(const Batch& batch) override {
    UpdateResult result;
    Stopwatch watch;
    const at::Tensor rows = InputsOn(device_, batch);
    const at::Tensor past = MemoriesOn(device_, batch);
    const at::Tensor inputs = WithMemory(online_, batch, rows, past, &remembered_);
    const at::Tensor chosen_by = online_.Evaluate(Successors(batch, inputs));
    const at::Tensor successors =
        Successors(batch, WithMemory(target_, batch, rows, past, /*keep=*/nullptr));
    result.rows_forward = batch.num_successors;
    std::vector<Target> targets =
        options_.retrace_lambda > 0
            ? RetraceTargets(batch, successors, AsValues(chosen_by), result.rows_forward)
            : MakeTargets(batch, successors, AsValues(chosen_by), result.rows_forward);
    result.targets_ms = watch.Lap();

    online_.Forward(inputs.narrow(0, 0, batch.num_states), pass_);
    result.forward_ms = watch.Lap();

    const std::span<const Values> values = AsValues(pass_.values);
    if (options_.action_gap > 0) WidenActionGaps(batch, values, options_.action_gap, targets);
    const at::Tensor gradient = at::empty_like(pass_.values);
    result.errors.resize(static_cast<std::size_t>(batch.num_states));
    const DuelingLoss loss = ComputeLoss(
        batch,
        values,
        targets,
        {.calls = options_.calls_loss_weight, .scalarized = options_.scalarized_loss_weight},
        AsValues(gradient),
        result.errors);
    if (options_.conservative > 0) {
      result.loss_conservative =
          ComputeConservativeLoss(batch, values, options_.conservative, AsValues(gradient));
    }
    if (options_.branching) {
      result.loss_gains =
          ComputeGainLoss(batch, values, options_.calls_loss_weight, AsValues(gradient));
    }
    at::Tensor logits_gradient;
    if (options_.disagreement_width > 0) {
      logits_gradient = at::empty_like(pass_.disagreement_logits);
      result.loss_disagreement = ComputeDisagreementLoss(
          batch, AsFloats(pass_.disagreement_logits), AsFloats(logits_gradient));
    }
    const at::Tensor of_memory = online_.Backward(pass_, gradient, logits_gradient);
    if (of_memory.defined()) LearnToRemember(batch, of_memory);
    result.backward_ms = watch.Lap();

    result.loss_return = loss.loss_return;
    result.loss_calls = loss.loss_calls;
    for (const Target& target : targets) {
      result.mean_target_return += target.return_value / static_cast<double>(targets.size());
    }
    Step(result);
    result.optimizer_ms = watch.Lap();
    return result;
  }

  std::shared_ptr<const core::WeightsSnapshot> Export(core::WeightsVersion version) const override {
    auto snapshot = std::make_shared<core::WeightsSnapshot>();
    snapshot->version = version;
    snapshot->architecture = core::switcher_network::kArchitecture;
    snapshot->arrays = online_.ToArrays(online_.flat(), "");
    if (options_.memory.width > 0) {
      snapshot->arrays.push_back(
          {"memory.window", {1}, {static_cast<float>(options_.memory.window)}});
    }
    return snapshot;
  }

  int num_features() const override { return num_features_; }

  AlgorithmState Save() const override {
    AlgorithmState state;
    state.architecture = core::switcher_network::kArchitecture;
    for (const auto& [prefix, flat] : Parts()) {
      for (core::NamedArray& array : online_.ToArrays(flat, prefix))
        state.arrays.push_back(std::move(array));
    }
    state.counters["adam_step"] = adam_.num_steps();
    return state;
  }

  void Restore(const AlgorithmState& state) override {
    RequireArchitecture(state, core::switcher_network::kArchitecture);
    const at::Tensor scratch = at::empty_like(target_.flat());
    for (const auto& [prefix, flat] : Parts())
      online_.FromArrays(state.arrays, prefix, scratch);  // May throw.
    for (const auto& [prefix, flat] : Parts()) online_.FromArrays(state.arrays, prefix, flat);
    adam_.set_num_steps(state.Counter("adam_step"));
  }

 private:
  std::vector<std::pair<std::string, at::Tensor>> Parts() const {
    std::vector<std::pair<std::string, at::Tensor>> parts{{"online.", online_.flat()},
                                                          {"target.", target_.flat()}};
    for (const auto& [name, moment] : adam_.moments()) parts.emplace_back("adam." + name, moment);
    return parts;
  }

  static std::span<Values> AsValues(const at::Tensor& host) {
    return {reinterpret_cast<Values*>(host.data_ptr<float>()),
            static_cast<std::size_t>(host.size(0))};
  }

  // `rows` with what a network remembers behind the features; as they are without a memory.
  at::Tensor WithMemory(const DuelingNetwork& network,
                        const Batch& batch,
                        const at::Tensor& rows,
                        const at::Tensor& past,
                        KeptGru* keep) const {
    if (options_.memory.width == 0) return rows;
    const at::Tensor known = network.Remember(past, batch.memory.num_running, keep)
                                 .index_select(0, IndexOn(device_, batch.memory.places));
    return at::cat({rows.narrow(1, 0, num_features_),
                    known,
                    rows.narrow(1, num_features_, core::kNumContextInputs)},
                   1);
  }

  static at::Tensor Successors(const Batch& batch, const at::Tensor& inputs) {
    return inputs.narrow(0, batch.num_states, batch.num_successors);
  }

  // `of_states` [num_states, memory width]: the losses' derivative.
  void LearnToRemember(const Batch& batch, const at::Tensor& of_states) {
    const at::Tensor gradient = at::zeros_like(remembered_.candidate);
    const at::Tensor places = IndexOn(
        device_, std::span(batch.memory.places).first(static_cast<std::size_t>(batch.num_states)));
    gradient.index_add_(0, places, of_states);
    online_.BackwardMemory(remembered_, batch.memory.num_running, gradient);
  }

  // Double Q-learning: the online network chooses, the target network values; `successors` are what
  // it reads.
  std::vector<Target> MakeTargets(const Batch& batch,
                                  const at::Tensor& successors,
                                  std::span<const Values> chosen_by,
                                  std::int64_t& rows_forward) const {
    std::vector<Bootstrap> bootstraps(batch.entries.size());
    ChooseBootstraps(batch, chosen_by, bootstraps);

    std::vector<std::int64_t> wanted;
    for (const Bootstrap& bootstrap : bootstraps) {
      if (bootstrap.successor >= 0) wanted.push_back(bootstrap.successor);
    }
    const at::Tensor valued_by =
        target_.Evaluate(successors.index_select(0, IndexOn(device_, wanted)));
    const std::span<const Values> values = AsValues(valued_by);
    rows_forward += valued_by.size(0);

    std::vector<Target> targets(bootstraps.size());
    std::size_t next = 0;
    for (std::size_t e = 0; e < bootstraps.size(); ++e) {
      const Bootstrap& bootstrap = bootstraps[e];
      targets[e] = {bootstrap.horizon.reward, bootstrap.horizon.calls};
      if (bootstrap.successor < 0) continue;
      const Values& rest = values[next++];
      targets[e].return_value += bootstrap.horizon.discount * rest.Return(bootstrap.activate);
      targets[e].calls_value += bootstrap.horizon.discount * rest.Calls(bootstrap.activate);
    }
    return targets;
  }

  std::vector<Target> RetraceTargets(const Batch& batch,
                                     const at::Tensor& successors,
                                     std::span<const Values> chosen_by,
                                     std::int64_t& rows_forward) const {
    const at::Tensor valued_by = target_.Evaluate(successors);
    rows_forward += valued_by.size(0);
    return MakeRetraceTargets(
        batch,
        chosen_by,
        AsValues(valued_by),
        {.lambda = options_.retrace_lambda, .temperature = options_.retrace_temperature});
  }

  void Step(UpdateResult& result) {
    const at::Tensor& gradient = online_.flat_gradient();
    result.gradient_norm = gradient.norm().item<double>();
    result.skipped = !std::isfinite(result.gradient_norm);
    if (result.skipped) return;
    adam_.Step(online_.flat(), gradient, result.gradient_norm, progress());
    target_.flat().lerp_(online_.flat(), options_.target_rate);
  }

  const DqnOptions options_;
  const int num_features_;
  const DuelingNetwork::Shape shape_;
  const at::Device device_;
  DuelingNetwork online_;
  DuelingNetwork target_;
  DuelingNetwork::Pass pass_;
  KeptGru remembered_;
  Adam adam_;
};

}  // namespace

void DqnOptions::Validate() const {
  network.Validate("learner.dqn");
  RequireWithin(disagreement_width == 0 || (disagreement_width >= 8 && disagreement_width <= 4096),
                "learner.dqn.disagreement_width",
                disagreement_width,
                "8 to 4096, or to 0 for none");
  RequireWithin(retrace_lambda >= 0 && retrace_lambda <= 1,
                "learner.dqn.retrace_lambda",
                retrace_lambda,
                "0 to 1");
  RequireWithin(retrace_temperature >= 0,
                "learner.dqn.retrace_temperature",
                retrace_temperature,
                "0 or more");
  RequireWithin(target_rate > 0 && target_rate <= 1,
                "learner.dqn.target_rate",
                target_rate,
                "a value above 0 and up to 1");
  RequireWithin(
      calls_loss_weight > 0, "learner.dqn.calls_loss_weight", calls_loss_weight, "a value above 0");
  RequireWithin(scalarized_loss_weight >= 0,
                "learner.dqn.scalarized_loss_weight",
                scalarized_loss_weight,
                "0 or more");
  RequireWithin(action_gap >= 0 && action_gap < 1,
                "learner.dqn.action_gap",
                action_gap,
                "0 or more, and below 1");
  RequireWithin(conservative >= 0, "learner.dqn.conservative", conservative, "0 or more");
  RequireWithin(memory.width == 0 || (memory.width >= 4 && memory.width <= 1024),
                "learner.dqn.memory.width",
                memory.width,
                "4 to 1024, or to 0 for none");
  RequireWithin(memory.window >= 1 && memory.window <= core::switcher_network::kMaxMemoryWindow,
                "learner.dqn.memory.window",
                memory.window,
                "1 to " + std::to_string(core::switcher_network::kMaxMemoryWindow));
  if (branching && memory.width > 0) {
    throw core::ConfigError(
        {.what = "learner.dqn.branching is true although learner.dqn.memory.width is " +
                 std::to_string(memory.width),
         .why =
             "branched episodes are played by copies that begin in the middle of an episode, and "
             "nothing before it is remembered there",
         .fix = "set learner.dqn.branching to false, or learner.dqn.memory.width to 0"});
  }
}

std::unique_ptr<Algorithm> MakeDqn(const DqnOptions& options,
                                   int num_features,
                                   const std::string& device,
                                   std::uint64_t seed) {
  options.Validate();
  return std::make_unique<Dqn>(options, num_features, device, seed);
}

}  // namespace londi::learner
