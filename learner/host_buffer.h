#pragma once

#include <cstddef>
#include <memory>
#include <span>

namespace londi::learner {

// Float memory that grows and is re-used from batch to batch; page-locked when a GPU will read it,
// so that the copy overlaps with other work.
class HostBuffer {
 public:
  explicit HostBuffer(bool pinned = false);
  ~HostBuffer();
  HostBuffer(HostBuffer&&) noexcept;
  HostBuffer& operator=(HostBuffer&&) noexcept;

  // At least `size` floats; their values are whatever they were, or arbitrary after growth.
  std::span<float> Resize(std::size_t size);
  std::span<float> values() const { return values_; }

 private:
  struct Memory;
  bool pinned_;
  std::unique_ptr<Memory> memory_;
  std::span<float> values_;
};

}  // namespace londi::learner
