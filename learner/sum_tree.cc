#include "learner/sum_tree.h"

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

std::size_t SumTree::Find(double mass) const {
  std::size_t node = 1;
  while (node < leaves_) {
    const double left = nodes_[2 * node];
    // Rounding may leave a mass just beyond the left sum though nothing lies to the right.
    if (mass < left || nodes_[2 * node + 1] <= 0) {
      node = 2 * node;
    } else {
      mass -= left;
      node = 2 * node + 1;
    }
  }
  return node - leaves_;
}

}  // namespace londi::learner
