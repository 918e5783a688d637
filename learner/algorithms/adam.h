#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "learner/algorithms/network_options.h"

namespace londi::learner {

// AdamW (Kingma and Ba 2015, arXiv:1412.6980; Loshchilov and Hutter 2019, arXiv:1711.05101) for one
// flat tensor of parameters.
class Adam {
 public:
  Adam(const AdamOptions& options, const at::Tensor& parameters);

  // `norm`: of the gradient, finite. `progress`: of the run, 0..1. The gradient is overwritten.
  void Step(const at::Tensor& parameters, const at::Tensor& gradient, double norm, double progress);

  // What a checkpoint keeps: arrays of the parameters' layout by name, and the number of steps.
  std::vector<std::pair<std::string, at::Tensor>> moments() const {
    return {{"first.", first_moment_}, {"second.", second_moment_}};
  }
  std::int64_t num_steps() const { return num_steps_; }
  void set_num_steps(std::int64_t steps);

 private:
  const AdamOptions options_;
  at::Tensor first_moment_;
  at::Tensor second_moment_;
  at::Tensor step_;  // num_steps_ as the operator wants it.
  std::int64_t num_steps_ = 0;
};

}  // namespace londi::learner
