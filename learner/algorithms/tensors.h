#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>

#include "learner/batch.h"

namespace londi::learner {

// States and successors of a batch on a device: [num_states + num_successors, width]. On the CPU
// the batch's own memory.
at::Tensor InputsOn(at::Device device, const Batch& batch);

// What the batch's memory reads, [rows, num_features], likewise; undefined without.
at::Tensor MemoriesOn(at::Device device, const Batch& batch);

// `rows` as an index on a device; outlives it on the CPU.
at::Tensor IndexOn(at::Device device, std::span<const std::int64_t> rows);

// All numbers of a tensor on the host.
std::span<float> AsFloats(const at::Tensor& host);

}  // namespace londi::learner
