#include "learner/sum_tree.h"

#include <algorithm>
#include <bit>

namespace londi::learner {

SumTree::SumTree(std::size_t size) : leaves_(std::bit_ceil(size)), nodes_(2 * leaves_, 0.0) {}

void SumTree::Set(std::size_t leaf, float weight) {
  std::size_t node = leaves_ + leaf;
  nodes_[node] = weight;
  while (node > 1) {
    node /= 2;
    nodes_[node] = nodes_[2 * node] + nodes_[2 * node + 1];
  }
}

void SumTree::Find(std::span<double> masses, std::span<std::size_t> leaves) const {
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
