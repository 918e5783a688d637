#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "learner/algorithms/tower.h"

// The memory of core/switcher_network.h over chains of rows (learner/memory_chains.h), forwards and
// backwards. Tensors are fp32 of one device.
namespace londi::learner {

struct GruWeights {
  LinearLayer input, state;  // [3 width, inputs], [3 width, width]: reset, keep, candidate.
};

// What the gradient needs of the forward pass, row by row as the inputs.
struct KeptGru {
  at::Tensor inputs;
  at::Tensor before;     // [rows, width] h before each row,
  at::Tensor gates;      // [rows, 2 width] r and k there,
  at::Tensor candidate;  // [rows, width] n,
  at::Tensor of_state;   // [rows, width] and n's part of state(h).
};

// h after each row [rows, width].
//   inputs       [rows, inputs] in the order of MemoryChains
//   num_running  as there
//   keep         for DescendGru; nullptr = nothing is kept. What is used again keeps its memory.
at::Tensor ClimbGru(const GruWeights& weights,
                    const at::Tensor& inputs,
                    const std::vector<std::int64_t>& num_running,
                    KeptGru* keep);

// `gradient` [rows, width] with respect to what ClimbGru returned; overwritten. Fills `out`, the
// gradients of the weights: backpropagation through all of a chain.
void DescendGru(const GruWeights& weights,
                const KeptGru& kept,
                const std::vector<std::int64_t>& num_running,
                const at::Tensor& gradient,
                const GruWeights& out);

}  // namespace londi::learner
