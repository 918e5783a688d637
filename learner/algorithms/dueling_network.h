#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/switcher_network.h"
#include "core/weights.h"
#include "learner/algorithms/gru.h"
#include "learner/algorithms/parameters.h"
#include "learner/algorithms/tower.h"

namespace londi::learner {

// The network of core/switcher_network.h in LibTorch. All parameters lie in one flat tensor, in the
// order of the snapshot's arrays.
class DuelingNetwork {
 public:
  struct Shape {
    int num_inputs = 0;  // Features, memory and context.
    int width = 0;
    int layers = 0;
    int disagreement_width = 0;  // Of its tower of kDisagreementLayers; 0 = none, d = 1.
    bool branching = false;  // The gains have a gradient of their own, and none of the advantages'.
    int memory_width = 0;    // So many of the inputs are what Remember says; 0 = no memory.
  };
  static constexpr int kDisagreementLayers = 2;
  static constexpr int kNumValues = sizeof(core::switcher_network::Values) / sizeof(float);

  // Parameters are 0, LayerNorm scales 1. `gradient`: room for gradients of the same layout is
  // made.
  DuelingNetwork(Shape shape, at::Device device, bool gradient);

  // Linear layers uniform in +-1/sqrt(inputs) (PyTorch's default), heads 0.
  void Initialize(std::uint64_t seed);

  // What the memory knows after each row of a batch's chains, [rows, memory_width]. Needs a memory.
  //   features     [rows, features without memory] in the order of MemoryChains
  //   num_running  as there
  //   keep         for BackwardMemory; nullptr = nothing is kept
  at::Tensor Remember(const at::Tensor& features,
                      const std::vector<std::int64_t>& num_running,
                      KeptGru* keep) const;

  // inputs [n, num_inputs]. Returns [n, kNumValues] on the host, rows laid out as core's Values.
  at::Tensor Evaluate(const at::Tensor& inputs) const;

  // The same, and what Backward needs of it. A pass that is used again keeps its memory.
  struct Pass {
    at::Tensor values;               // [n, kNumValues] on the host.
    at::Tensor disagreement_logits;  // [n] on the host; undefined without the tower.

    std::vector<KeptLayer> trunk, disagreement;
    at::Tensor limited;  // [n] on the host: l of core/switcher_network.h.
  };
  void Forward(const at::Tensor& inputs, Pass& pass) const;

  // Fills flat_gradient(), all but the memory's. The values' gradient does not reach the
  // disagreement tower: what it is taught is DEEPTHINK's answers, not what would suit the values.
  //   values   [n, kNumValues] on the host, derivatives with respect to pass.values; that of d is
  //            ignored
  //   logits   [n] on the host, the same of disagreement_logits; undefined without the tower
  // Returns [n, memory_width] the derivative with respect to what was remembered, by values and
  // logits alike; undefined without a memory.
  at::Tensor Backward(const Pass& pass, const at::Tensor& values, const at::Tensor& logits);

  // Fills the memory's part of flat_gradient().
  //   remembered  [rows, memory_width] derivative with respect to what Remember returned;
  //               overwritten
  void BackwardMemory(const KeptGru& kept,
                      const std::vector<std::int64_t>& num_running,
                      const at::Tensor& remembered);

  const at::Tensor& flat() const { return flat_; }  // [num_parameters]
  const at::Tensor& flat_gradient() const {
    return gradient_;
  }  // The same layout; filled by Backward.
  std::int64_t num_parameters() const { return flat_.numel(); }

  // As ParameterLayout's.
  std::vector<core::NamedArray> ToArrays(const at::Tensor& flat, const std::string& prefix) const {
    return layout_.ToArrays(flat, prefix);
  }
  void FromArrays(const std::vector<core::NamedArray>& arrays,
                  const std::string& prefix,
                  const at::Tensor& into) const {
    layout_.FromArrays(arrays, prefix, into);
  }

 private:
  // The flat tensor's parts.
  struct Views {
    Tower trunk;
    LinearLayer heads;  // [6, width]: value, gain, shadow of the returns, then of the calls.
    Tower disagreement;
    LinearLayer disagreement_logit;  // [1, disagreement_width]
    GruWeights memory;
  };
  struct Raw {
    at::Tensor heads;         // [n, 6]
    at::Tensor logits;        // [n, 1]; undefined without the tower.
    at::Tensor disagreement;  // [n, 1] d; the same.
  };
  Views ViewsOf(const at::Tensor& flat) const;
  // `keep`: for Backward; nullptr = nothing is kept.
  Raw Climb(const at::Tensor& inputs, Pass* keep) const;
  at::Tensor Limited(const at::Tensor& inputs) const;
  void ToValues(const Raw& raw, const at::Tensor& limited, at::Tensor values) const;
  at::Tensor HeadsGradient(const Pass& pass, const at::Tensor& values) const;
  int num_features() const;  // Memory included.
  // Of a tower that reads features and memory: the derivative with respect to the memory.
  at::Tensor MemoryGradient(const Tower& tower, const at::Tensor& of_first_layer) const;

  Shape shape_;
  ParameterLayout layout_;
  at::Tensor flat_;
  at::Tensor gradient_;  // Undefined without gradients.
  Views weights_;
  Views gradients_;  // Undefined without gradients.
};

}  // namespace londi::learner
