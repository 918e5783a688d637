#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "inference/models/llama_weights.h"
#include "learner/finetune/labelled_episode.h"

namespace londi::learner {

struct AdamWOptions {
  double learning_rate = 2e-3;   // At its highest, > 0.
  double final_share = 0.02;     // The cosine ends at learning_rate * final_share, 0..1.
  double warmup = 0.02;          // Share of the steps with a rising rate, 0..1.
  double weight_decay = 0.1;     // Of matrices, decoupled (Loshchilov and Hutter 2019), >= 0.
  double beta1 = 0.9;            // 0..1
  double beta2 = 0.98;           // 0..1
  double epsilon = 1e-8;         // > 0
  double max_gradient_norm = 1;  // Longer gradients are scaled down to it, > 0.
  // Weight of the loss of every token of the episode's text beside the labels', >= 0: language
  // modelling as an auxiliary objective (Radford et al. 2018, section 3.2).
  double text_loss_weight = 0;
  void Validate() const;  // Throws core::ConfigError.
};

// learning_rate after `step` of `steps`: linear warm-up, then a cosine.
double LearningRate(const AdamWOptions& options, std::int64_t step, std::int64_t steps);

// Trains a Llama-architecture LM to say what the expert would have done: cross-entropy of the
// labels' tokens, and by text_loss_weight of all tokens, whole episodes packed into one forward
// pass.
class BehaviourCloning {
 public:
  BehaviourCloning(inference::LlamaWeights weights, const AdamWOptions& options);

  struct StepResult {
    double loss = 0;      // nats per label token, before the step.
    double accuracy = 0;  // Share of label tokens that were the most likely ones.
    std::int64_t tokens = 0;
  };
  // One optimizer step on `batch`, which has at least one label.
  StepResult Step(std::span<const TrainingSequence* const> batch, double learning_rate);

  // Shares memory with what is trained.
  const inference::LlamaWeights& weights() const { return weights_; }
  std::int64_t num_steps() const { return num_steps_; }

  // Parameters and the optimizer's state, one safetensors file. Throws core::IoError.
  void Save(const std::filesystem::path& file) const;
  // Throws core::ModelError when the file is damaged or of another model.
  void Load(const std::filesystem::path& file);

 private:
  struct Group {  // Parameters with one weight decay.
    double weight_decay = 0;
    std::vector<at::Tensor> parameters, first_moments, second_moments, steps;
  };
  at::Tensor TextLoss(const at::Tensor& hidden,
                      const at::Tensor& text,
                      std::span<const std::int64_t> lengths) const;
  void Optimize(double learning_rate);

  const inference::LlamaWeights weights_;
  const AdamWOptions options_;
  std::vector<Group> groups_;
  std::int64_t num_steps_ = 0;
};

}  // namespace londi::learner
