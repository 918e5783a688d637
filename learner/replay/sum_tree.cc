#include "learner/replay/sum_tree.h"

#include <algorithm>

namespace londi::learner {
namespace {

// To add up so many leaves that did not change is cheaper than another way up.
constexpr std::size_t kNear = 16;

}  // namespace

SumTree::SumTree(std::size_t size) {
  std::size_t end = 0;
  for (std::size_t nodes = std::max<std::size_t>(size, 1); levels_.empty() || nodes > 1;) {
    nodes = (nodes + kSiblings - 1) / kSiblings;
    levels_.push_back(end);
    end += nodes;
  }
  siblings_.resize(end);
}

void SumTree::Set(std::size_t leaf, float weight) {
  const bool is_near = leaf + kNear >= stale_first_ && leaf < stale_last_ + kNear;
  if (!is_near || stale_first_ == stale_last_) {
    AddUp();
    stale_first_ = stale_last_ = leaf;
  }
  siblings_[leaf / kSiblings].weights[leaf % kSiblings] = weight;
  stale_first_ = std::min(stale_first_, leaf);
  stale_last_ = std::max(stale_last_, leaf + 1);
}

void SumTree::Prefetch(std::size_t leaf) const { __builtin_prefetch(&siblings_[leaf / kSiblings]); }

double SumTree::total() const {
  AddUp();
  return siblings_.back().Sum();
}

void SumTree::AddUp() const {
  if (stale_first_ == stale_last_) return;
  std::size_t first = stale_first_ / kSiblings, last = (stale_last_ - 1) / kSiblings;
  for (std::size_t level = 0; level + 1 < levels_.size(); ++level) {
    for (std::size_t i = first; i <= last; ++i) {
      Siblings& above = siblings_[levels_[level + 1] + i / kSiblings];
      above.weights[i % kSiblings] = siblings_[levels_[level] + i].Sum();
    }
    first /= kSiblings;
    last /= kSiblings;
  }
  stale_first_ = stale_last_;
}

void SumTree::Find(std::span<double> masses, std::span<std::size_t> leaves) const {
  AddUp();
  std::ranges::fill(leaves, 0);
  for (std::size_t level = levels_.size(); level-- > 0;) {
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      const std::size_t taken = siblings_[levels_[level] + leaves[i]].Take(masses[i]);
      leaves[i] = leaves[i] * kSiblings + taken;
      if (level > 0) __builtin_prefetch(&siblings_[levels_[level - 1] + leaves[i]]);
    }
  }
}

double SumTree::Siblings::Sum() const {
  const auto& w = weights;
  return ((w[0] + w[1]) + (w[2] + w[3])) + ((w[4] + w[5]) + (w[6] + w[7]));
}

// The sibling in which `mass` falls; what lies before it is taken off. Rounding may leave a mass
// just beyond all of them: the last that has weight, then.
std::size_t SumTree::Siblings::Take(double& mass) const {
  std::size_t taken = 0;
  double before = 0, before_taken = 0;
  for (std::size_t i = 0; i < kSiblings; ++i) {
    const bool is_reached = mass >= before && weights[i] > 0;
    taken = is_reached ? i : taken;
    before_taken = is_reached ? before : before_taken;
    before += weights[i];
  }
  mass -= before_taken;
  return taken;
}

}  // namespace londi::learner
