#include "learner/algorithms/tensors.h"

#include <ATen/ATen.h>

#include "core/switcher.h"

namespace londi::learner {

at::Tensor InputsOn(at::Device device, const Batch& batch) {
  const at::Tensor host = at::from_blob(batch.inputs.values().data(),
                                        {batch.num_states + batch.num_successors, batch.width},
                                        at::kFloat);
  return device.is_cpu() ? host : host.to(device, /*non_blocking=*/true);
}

at::Tensor MemoriesOn(at::Device device, const Batch& batch) {
  if (batch.memory.rows.empty()) return {};
  const at::Tensor host = at::from_blob(
      batch.memory.features.values().data(),
      {static_cast<std::int64_t>(batch.memory.rows.size()), batch.width - core::kNumContextInputs},
      at::kFloat);
  return device.is_cpu() ? host : host.to(device, /*non_blocking=*/true);
}

at::Tensor IndexOn(at::Device device, std::span<const std::int64_t> rows) {
  const at::Tensor host = at::from_blob(
      const_cast<std::int64_t*>(rows.data()), {static_cast<std::int64_t>(rows.size())}, at::kLong);
  return host.to(device);
}

std::span<float> AsFloats(const at::Tensor& host) {
  return {host.data_ptr<float>(), static_cast<std::size_t>(host.numel())};
}

}  // namespace londi::learner
