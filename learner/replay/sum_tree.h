#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace londi::learner {

// Non-negative weights with O(log n) change and O(log n) draw. Eight siblings are one line of the
// cache, for a level of a large tree is a miss. Changes of neighbouring leaves, one after the
// other, share their way up the tree, which is gone when a sum is asked for. Sums are those of the
// children, never running totals: a tree is a function of its leaves, whatever the order of
// changes, so a restored one draws alike.
class SumTree {
 public:
  explicit SumTree(std::size_t size);

  void Set(std::size_t leaf, float weight);
  float Get(std::size_t leaf) const {
    return static_cast<float>(siblings_[leaf / kSiblings].weights[leaf % kSiblings]);
  }
  // `leaf` will be set soon.
  void Prefetch(std::size_t leaf) const;
  double total() const;

  // The leaf in which each mass falls, 0 <= mass < total(). Never a leaf of weight 0 while total()
  // > 0. They go down side by side, so that misses of the cache overlap. `masses` is overwritten.
  void Find(std::span<double> masses, std::span<std::size_t> leaves) const;

 private:
  static constexpr std::size_t kSiblings = 8;
  struct alignas(kSiblings * sizeof(double)) Siblings {
    std::array<double, kSiblings> weights{};

    double Sum() const;
    std::size_t Take(double& mass) const;
  };

  void AddUp() const;

  std::vector<std::size_t> levels_;  // Where each begins in siblings_: leaves first, root last.
  mutable std::vector<Siblings> siblings_;
  // Leaves whose changes the sums above lack: from first to before last; none if equal.
  mutable std::size_t stale_first_ = 0, stale_last_ = 0;
};

}  // namespace londi::learner
