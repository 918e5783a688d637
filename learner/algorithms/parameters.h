#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/weights.h"
#include "learner/algorithms/tower.h"

namespace londi::learner {

// Which named array of a network lies where in one flat tensor that holds all of its parameters, so
// that optimizer, averaging and clipping are one operation each; layers are views of it.
class ParameterLayout {
 public:
  void Add(std::string name, std::vector<std::int64_t> shape);
  // "<name>.<i>.weight", ".bias", ".norm.weight", ".norm.bias"; see core/switcher_network.h.
  void AddTower(const std::string& name, int num_inputs, int width, int layers);

  std::int64_t size() const { return size_; }  // Of the flat tensor.

  // Linear layers uniform in +-1/sqrt(inputs) (PyTorch's default), LayerNorms the identity, and 0
  // where `is_zero` says so of an array's name.
  at::Tensor InitialValues(std::uint64_t seed,
                           const std::function<bool(std::string_view)>& is_zero) const;

  // A flat tensor as named arrays, `prefix` before each name; and back. Throws core::ModelError
  // when an array is missing or has another shape; `into` is unchanged then.
  std::vector<core::NamedArray> ToArrays(const at::Tensor& flat, const std::string& prefix) const;
  void FromArrays(const std::vector<core::NamedArray>& arrays,
                  const std::string& prefix,
                  const at::Tensor& into) const;

  // Views of a flat tensor's parts, in the order in which they were added.
  class Reader {
   public:
    Reader(const ParameterLayout& layout, const at::Tensor& flat) : layout_(layout), flat_(flat) {}
    at::Tensor Next();
    Tower NextTower(int layers);
    // The next `arrays` arrays, which lie side by side, as one of this shape.
    at::Tensor NextTogether(std::size_t arrays, at::IntArrayRef shape);

   private:
    const ParameterLayout& layout_;
    const at::Tensor flat_;
    std::size_t next_ = 0;
  };

 private:
  struct Slot {
    std::string name;
    std::vector<std::int64_t> shape;
    std::int64_t offset = 0;
    std::int64_t size = 0;
  };

  std::vector<Slot> slots_;
  std::int64_t size_ = 0;
};

}  // namespace londi::learner
