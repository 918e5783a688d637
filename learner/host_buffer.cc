#include "learner/host_buffer.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

namespace londi::learner {

struct HostBuffer::Memory {
  at::Tensor tensor;
};

HostBuffer::HostBuffer(bool pinned) : pinned_(pinned), memory_(std::make_unique<Memory>()) {}
HostBuffer::~HostBuffer() = default;
HostBuffer::HostBuffer(HostBuffer&&) noexcept = default;
HostBuffer& HostBuffer::operator=(HostBuffer&&) noexcept = default;

std::span<float> HostBuffer::Resize(std::size_t size) {
  const bool fits =
      memory_->tensor.defined() && static_cast<std::size_t>(memory_->tensor.numel()) >= size;
  if (!fits) {
    memory_->tensor = at::empty({static_cast<std::int64_t>(size)},
                                at::TensorOptions().dtype(at::kFloat).pinned_memory(pinned_));
  }
  values_ = {memory_->tensor.data_ptr<float>(), size};
  return values_;
}

}  // namespace londi::learner
