#include "inference/candidate_trie.h"

#include <unordered_map>

namespace londi::inference {

CandidateTrie::CandidateTrie(std::span<const std::vector<TokenId>> paths) {
  std::unordered_map<std::uint64_t, std::int32_t> children;  // (parent, token) -> node.
  std::vector<bool> has_children;
  for (const std::vector<TokenId>& path : paths) {
    std::int32_t at = kRoot;
    for (const TokenId token : path) {
      if (at != kRoot) has_children[static_cast<std::size_t>(at)] = true;
      const std::uint64_t key = (static_cast<std::uint64_t>(static_cast<std::uint32_t>(at)) << 32) |
                                static_cast<std::uint32_t>(token);
      const auto [child, is_new] =
          children.try_emplace(key, static_cast<std::int32_t>(nodes_.size()));
      if (is_new) {
        const std::int32_t depth = at == kRoot ? 1 : nodes_[static_cast<std::size_t>(at)].depth + 1;
        nodes_.push_back({.token = token, .parent = at, .depth = depth});
        has_children.push_back(false);
      }
      at = child->second;
    }
    ends_.push_back(at);
  }
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (has_children[i]) nodes_[i].inner = num_inner_++;
  }
}

double CandidateTrie::SumPath(std::size_t i,
                              std::int32_t skip,
                              std::span<const float> edge_log_probs) const {
  double sum = 0;
  for (std::int32_t at = ends_[i]; at != kRoot;) {
    const auto index = static_cast<std::size_t>(at);
    if (nodes_[index].depth <= skip) break;
    sum += edge_log_probs[index];
    at = nodes_[index].parent;
  }
  return sum;
}

}  // namespace londi::inference
