#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inference/tokenizers/bpe.h"

namespace londi::inference {

// A token that is found in the text before anything else happens to it.
struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;  // Only where no word character touches it.
  bool lstrip = false;       // Takes the white space before it along.
  bool rstrip = false;       // ... behind it.
};

// Finds added tokens: leftmost first, the longest where several begin. Source:
// huggingface/tokenizers, added_vocabulary.rs.
class AddedTokens {
 public:
  explicit AddedTokens(std::vector<AddedToken> tokens);

  struct Hit {
    std::size_t begin = 0;  // White space taken along included.
    std::size_t end = 0;
    TokenId id = 0;
  };
  // The first one that begins at `from` or later; `from` is where the last hit ended.
  std::optional<Hit> Find(std::string_view text, std::size_t from) const;

  // No text appended to `text` can make a hit begin before the returned position, nor change one
  // that ends up to it. 0 where that is not known (tokens that depend on their neighbours).
  std::size_t StableEnd(std::string_view text) const;

  bool empty() const { return tokens_.empty(); }

 private:
  const AddedToken* LongestAt(std::string_view text, std::size_t at) const;

  std::vector<AddedToken> tokens_;                      // Longest first.
  std::array<std::vector<std::size_t>, 256> by_first_;  // First byte -> indices, longest first.
  bool depends_on_neighbours_ = false;
};

}  // namespace londi::inference
