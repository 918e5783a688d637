#include "learner/finetune/behaviour_cloning.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>
#include <string>
#include <utility>

#include "core/error.h"
#include "inference/models/llama.h"
#include "inference/models/safetensors.h"

namespace londi::learner {
namespace {

constexpr const char* kStepsKey = "optimizer_steps";

void Require(bool holds, const char* name, double value, const char* limits) {
  if (holds) return;
  throw core::ConfigError(
      {.what = std::string("optimizer.") + name + " is " + std::to_string(value),
       .why = std::string("it must be ") + limits,
       .fix = "change it in the configuration, or with --set"});
}

std::vector<at::Tensor> Gradients(const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : parameters) gradients.push_back(parameter.grad());
  return gradients;
}

inference::TensorToWrite AsStored(std::string name, const at::Tensor& tensor) {
  return {.name = std::move(name),
          .type = inference::ElementType::kF32,
          .shape = tensor.sizes().vec(),
          .bytes = {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()}};
}

void CopyFrom(const inference::SafetensorsFile& file,
              const std::string& name,
              const std::filesystem::path& path,
              const at::Tensor& target) {
  const auto found = file.tensors().find(name);
  const bool fits = found != file.tensors().end() &&
                    found->second.type == inference::ElementType::kF32 &&
                    at::IntArrayRef(found->second.shape) == target.sizes();
  if (!fits) {
    throw core::ModelError(
        {.what = path.string() + " does not continue this training: '" + name + "'",
         .why = "it is missing there or has another shape",
         .fix =
             "use the configuration the training was begun with, or start anew without --resume"});
  }
  at::Tensor loaded = at::empty(target.sizes(), at::kFloat);
  std::memcpy(loaded.data_ptr(), found->second.bytes.data(), found->second.bytes.size());
  target.copy_(loaded);
}

}  // namespace

void AdamWOptions::Validate() const {
  Require(learning_rate > 0, "learning_rate", learning_rate, "above 0");
  Require(final_share >= 0 && final_share <= 1, "final_share", final_share, "0..1");
  Require(warmup >= 0 && warmup <= 1, "warmup", warmup, "0..1");
  Require(weight_decay >= 0, "weight_decay", weight_decay, "0 or more");
  Require(beta1 >= 0 && beta1 < 1, "beta1", beta1, "0 or more and below 1");
  Require(beta2 >= 0 && beta2 < 1, "beta2", beta2, "0 or more and below 1");
  Require(epsilon > 0, "epsilon", epsilon, "above 0");
  Require(text_loss_weight >= 0, "text_loss_weight", text_loss_weight, "0 or more");
  Require(max_gradient_norm > 0, "max_gradient_norm", max_gradient_norm, "above 0");
}

double LearningRate(const AdamWOptions& options, std::int64_t step, std::int64_t steps) {
  const double warmup_steps = options.warmup * static_cast<double>(steps);
  const double now = static_cast<double>(step);
  if (now < warmup_steps) return options.learning_rate * (now + 1) / (warmup_steps + 1);
  const double part =
      (now - warmup_steps) / std::max(static_cast<double>(steps) - warmup_steps, 1.0);
  const double cosine = (1 + std::cos(std::numbers::pi * std::min(part, 1.0))) / 2;
  return options.learning_rate * (options.final_share + (1 - options.final_share) * cosine);
}

BehaviourCloning::BehaviourCloning(inference::LlamaWeights weights, const AdamWOptions& options)
    : weights_(std::move(weights)), options_(options) {
  options_.Validate();
  groups_ = {{.weight_decay = options_.weight_decay}, {.weight_decay = 0}};
  for (at::Tensor parameter : inference::LlamaParameters(weights_)) {
    parameter.requires_grad_();
    Group& group = groups_[parameter.dim() > 1 ? 0 : 1];
    group.parameters.push_back(parameter);
    group.first_moments.push_back(at::zeros_like(parameter.detach()));
    group.second_moments.push_back(at::zeros_like(parameter.detach()));
    group.steps.push_back(at::zeros({}, parameter.options()));
  }
}

BehaviourCloning::StepResult BehaviourCloning::Step(std::span<const TrainingSequence* const> batch,
                                                    double learning_rate) {
  std::vector<std::int64_t> tokens, lengths, rows, targets;
  for (const TrainingSequence* sequence : batch) {
    const auto begin = static_cast<std::int64_t>(tokens.size());
    lengths.push_back(static_cast<std::int64_t>(sequence->tokens.size()));
    tokens.insert(tokens.end(), sequence->tokens.begin(), sequence->tokens.end());
    for (const std::int32_t row : sequence->rows) rows.push_back(begin + row);
    targets.insert(targets.end(), sequence->targets.begin(), sequence->targets.end());
  }
  const at::Device device = weights_.device();
  const auto to_device = [&](const std::vector<std::int64_t>& values) {
    return at::tensor(values, at::kLong).to(device);
  };
  const at::Tensor text = to_device(tokens);
  const at::Tensor hidden = inference::LlamaHiddenOfSequences(weights_, text, lengths);
  const at::Tensor logits =
      inference::LlamaLogits(weights_, hidden.index_select(0, to_device(rows)));
  const at::Tensor labels = to_device(targets);
  const at::Tensor loss = at::cross_entropy_loss(logits, labels);
  if (options_.text_loss_weight > 0)
    (loss + options_.text_loss_weight * TextLoss(hidden, text, lengths)).backward();
  else
    loss.backward();
  Optimize(learning_rate);
  return {.loss = loss.item<double>(),
          .accuracy = logits.detach().argmax(1).eq(labels).to(at::kFloat).mean().item<double>(),
          .tokens = static_cast<std::int64_t>(tokens.size())};
}

// Of every token but the first of each sequence, nats.
at::Tensor BehaviourCloning::TextLoss(const at::Tensor& hidden,
                                      const at::Tensor& text,
                                      std::span<const std::int64_t> lengths) const {
  std::vector<std::int64_t> before;
  std::int64_t begin = 0;
  for (const std::int64_t length : lengths) {
    for (std::int64_t i = 0; i + 1 < length; ++i) before.push_back(begin + i);
    begin += length;
  }
  const at::Tensor rows = at::tensor(before, at::kLong).to(text.device());
  return at::cross_entropy_loss(inference::LlamaLogits(weights_, hidden.index_select(0, rows)),
                                text.index_select(0, rows + 1));
}

void BehaviourCloning::Optimize(double learning_rate) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> all;
  for (const Group& group : groups_) {
    for (at::Tensor& gradient : Gradients(group.parameters)) all.push_back(gradient);
  }
  const double norm = at::stack(at::_foreach_norm(all)).norm().item<double>();
  if (norm > options_.max_gradient_norm) at::_foreach_mul_(all, options_.max_gradient_norm / norm);
  for (Group& group : groups_) {
    at::_foreach_add_(group.steps, 1);
    std::vector<at::Tensor> gradients = Gradients(group.parameters);
    at::_fused_adamw_(group.parameters,
                      gradients,
                      group.first_moments,
                      group.second_moments,
                      /*max_exp_avg_sqs=*/{},
                      group.steps,
                      learning_rate,
                      options_.beta1,
                      options_.beta2,
                      group.weight_decay,
                      options_.epsilon,
                      /*amsgrad=*/false,
                      /*maximize=*/false);
    for (const at::Tensor& gradient : gradients) gradient.zero_();
  }
  ++num_steps_;
}

void BehaviourCloning::Save(const std::filesystem::path& file) const {
  std::vector<at::Tensor> host;  // Keeps the bytes alive.
  std::vector<inference::TensorToWrite> stored;
  const auto add =
      [&](const char* prefix, std::size_t group, const std::vector<at::Tensor>& tensors) {
        for (std::size_t i = 0; i < tensors.size(); ++i) {
          host.push_back(tensors[i].detach().to(at::kCPU).contiguous());
          stored.push_back(
              AsStored(prefix + std::to_string(group) + "." + std::to_string(i), host.back()));
        }
      };
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    add("parameter.", i, groups_[i].parameters);
    add("first_moment.", i, groups_[i].first_moments);
    add("second_moment.", i, groups_[i].second_moments);
  }
  inference::WriteSafetensors(file, stored, {{kStepsKey, std::to_string(num_steps_)}});
}

void BehaviourCloning::Load(const std::filesystem::path& path) {
  const at::NoGradGuard no_grad;
  const inference::SafetensorsFile file(path);
  const auto copy = [&](const char* prefix,
                        std::size_t group,
                        const std::vector<at::Tensor>& tensors) {
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      CopyFrom(file, prefix + std::to_string(group) + "." + std::to_string(i), path, tensors[i]);
    }
  };
  const auto steps = file.metadata().find(kStepsKey);
  num_steps_ = 0;
  if (steps != file.metadata().end()) {
    const std::string& text = steps->second;
    std::from_chars(text.data(), text.data() + text.size(), num_steps_);
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    copy("parameter.", i, groups_[i].parameters);
    copy("first_moment.", i, groups_[i].first_moments);
    copy("second_moment.", i, groups_[i].second_moments);
    for (const at::Tensor& step : groups_[i].steps) step.fill_(num_steps_);
  }
}

}  // namespace londi::learner
