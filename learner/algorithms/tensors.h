#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "learner/batch.h"

namespace londi::learner {

// States and successors of a batch on a device: [num_states + num_successors, width]. On the CPU
// the batch's own memory.
at::Tensor InputsOn(at::Device device, const Batch& batch);

// All numbers of a tensor on the host.
std::span<float> AsFloats(const at::Tensor& host);

}  // namespace londi::learner
