#include "learner/algorithms/tensors.h"

#include <ATen/ATen.h>

namespace londi::learner {

at::Tensor InputsOn(at::Device device, const Batch& batch) {
  const at::Tensor host = at::from_blob(batch.inputs.values().data(),
                                        {batch.num_states + batch.num_successors, batch.width},
                                        at::kFloat);
  return device.is_cpu() ? host : host.to(device, /*non_blocking=*/true);
}

std::span<float> AsFloats(const at::Tensor& host) {
  return {host.data_ptr<float>(), static_cast<std::size_t>(host.numel())};
}

}  // namespace londi::learner
