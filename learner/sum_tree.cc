#include "learner/sum_tree.h"

#include <algorithm>
#include <bit>

namespace londi::learner {
namespace {

// To add up so many leaves that did not change is cheaper than another way up.
constexpr std::size_t kNear = 16;

}  // namespace

SumTree::SumTree(std::size_t size) : leaves_(std::bit_ceil(size)), nodes_(2 * leaves_, 0.0) {}

void SumTree::Set(std::size_t leaf, float weight) {
  const bool is_near = leaf + kNear >= stale_first_ && leaf < stale_last_ + kNear;
  if (!is_near || stale_first_ == stale_last_) {
    AddUp();
    stale_first_ = stale_last_ = leaf;
  }
  nodes_[leaves_ + leaf] = weight;
  stale_first_ = std::min(stale_first_, leaf);
  stale_last_ = std::max(stale_last_, leaf + 1);
}

void SumTree::AddUp() const {
  if (stale_first_ == stale_last_) return;
  std::size_t first = leaves_ + stale_first_, last = leaves_ + stale_last_ - 1;
  while (first > 1) {
    first /= 2;
    last /= 2;
    for (std::size_t node = first; node <= last; ++node)
      nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
  }
  stale_first_ = stale_last_;
}

void SumTree::Find(std::span<double> masses, std::span<std::size_t> leaves) const {
  AddUp();
  std::fill(leaves.begin(), leaves.end(), 1);
  for (std::size_t level = 1; level < leaves_; level *= 2) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const std::size_t node = leaves[i];
      const double left = nodes_[2 * node], right = nodes_[2 * node + 1];
      // Rounding may leave a mass just beyond the left sum though nothing lies to the right.
      const bool goes_right = masses[i] >= left && right > 0;
      masses[i] -= goes_right ? left : 0;
      leaves[i] = 2 * node + (goes_right ? 1 : 0);
    }
  }
  for (std::size_t& leaf : leaves) leaf -= leaves_;
}

}  // namespace londi::learner
