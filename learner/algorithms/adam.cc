#include "learner/algorithms/adam.h"

#include <ATen/ATen.h>

namespace londi::learner {
namespace {

// Large steps find the policy, small ones let the values settle.
double LearningRate(const AdamOptions& options, double progress) {
  return options.learning_rate + progress * (options.final_learning_rate - options.learning_rate);
}

}  // namespace

Adam::Adam(const AdamOptions& options, const at::Tensor& parameters)
    : options_(options),
      first_moment_(at::zeros_like(parameters)),
      second_moment_(at::zeros_like(parameters)),
      step_(at::zeros({}, parameters.options())) {}

void Adam::Step(const at::Tensor& parameters,
                const at::Tensor& gradient,
                double norm,
                double progress) {
  if (norm > options_.max_gradient_norm) gradient.mul_(options_.max_gradient_norm / norm);
  step_.add_(1);
  ++num_steps_;
  at::_fused_adamw_({parameters},
                    {gradient},
                    {first_moment_},
                    {second_moment_},
                    {},
                    {step_},
                    LearningRate(options_, progress),
                    0.9,
                    0.999,
                    options_.weight_decay,
                    options_.epsilon,
                    /*amsgrad=*/false,
                    /*maximize=*/false);
}

void Adam::set_num_steps(std::int64_t steps) {
  num_steps_ = steps;
  step_.fill_(steps);
}

}  // namespace londi::learner
