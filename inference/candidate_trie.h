#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "inference/tokenizers/bpe.h"

namespace londi::inference {

// Candidates as a tree of tokens below the prompt's last token, so that what several candidates
// begin with is computed once. A node's own log-probability is read at its parent; therefore only
// inner nodes (those with children) go through the network.
class CandidateTrie {
 public:
  static constexpr std::int32_t kRoot = -1;  // The prompt's last token.

  struct Node {
    TokenId token = 0;
    std::int32_t parent = kRoot;  // Smaller than the node's own index.
    std::int32_t depth = 1;       // Tokens behind the prompt.
    std::int32_t inner = -1;      // Index among the inner nodes, ascending; -1: a leaf.
  };

  // One path per candidate, none empty; equal paths share their nodes.
  explicit CandidateTrie(std::span<const std::vector<TokenId>> paths);

  const std::vector<Node>& nodes() const { return nodes_; }
  std::int32_t num_inner() const { return num_inner_; }

  // The node at which path `i` ends.
  std::int32_t end(std::size_t i) const { return ends_[i]; }

  // Sum of `edge_log_probs` (one per node) along path `i`, without its first `skip` tokens.
  double SumPath(std::size_t i, std::int32_t skip, std::span<const float> edge_log_probs) const;

 private:
  std::vector<Node> nodes_;
  std::vector<std::int32_t> ends_;
  std::int32_t num_inner_ = 0;
};

}  // namespace londi::inference
