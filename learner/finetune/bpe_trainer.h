#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace londi::learner {

// How a tokenizer is made from texts. The places where texts are split are where no token reaches
// across, so they decide what can become one token.
struct TokenizerOptions {
  std::int32_t vocab_size = 1024;  // 256 bytes and the rest learned, >= 256.
  // Regular expressions of characters behind which, and of places before which, texts are split.
  std::string split_after = "[\n,:]";  // "" = nowhere.
  std::string split_before;            // "" = nowhere.
  void Validate() const;               // Throws core::ConfigError.
};

// Learns byte-level BPE (Sennrich et al. 2016, arXiv:1508.07909, algorithm 1): the most frequent
// pair of neighbours is merged until the vocabulary is full or no pair occurs twice; of equally
// frequent pairs the first in byte order. Returns the text of a tokenizer.json. Throws
// core::ModelError for a split that is no regular expression.
std::string TrainTokenizer(const std::vector<std::string>& texts, const TokenizerOptions& options);

}  // namespace londi::learner
