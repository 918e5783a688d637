#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace londi::inference {

using TokenId = std::int32_t;

struct BpeMerge {
  std::string left;   // Raw bytes.
  std::string right;  // Raw bytes.
};

// Byte-pair encoding of words given as raw bytes: the pair that was learned first is merged first,
// the leftmost of equals. Source: Sennrich et al. 2016 (arXiv:1508.07909), section 3.2.
class Bpe {
 public:
  struct Parts {
    std::unordered_map<std::string, TokenId> vocab;  // Raw bytes -> id.
    std::vector<BpeMerge> merges;                    // Best first.
    bool ignore_merges = false;                      // A word of the vocabulary is one token.
  };
  // Throws core::ModelError when a merge names what is not in the vocabulary.
  explicit Bpe(Parts parts);

  // Appends the ids of `word`. Bytes that are in no token are left out (as HF does without an
  // unknown token).
  void Encode(std::string_view word, std::vector<TokenId>& out) const;

 private:
  struct Merged {
    std::int32_t rank = 0;
    TokenId id = 0;
  };
  // nullptr: this pair is never merged.
  const Merged* FindMerge(TokenId left, TokenId right) const;

  std::unordered_map<std::string, TokenId> vocab_;
  std::unordered_map<std::uint64_t, Merged> merges_;  // Key: both ids.
  std::vector<TokenId> bytes_;                        // [256], -1: not in the vocabulary.
  bool ignore_merges_;
};

}  // namespace londi::inference
