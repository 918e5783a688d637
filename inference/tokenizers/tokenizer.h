#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inference/tokenizers/added_tokens.h"
#include "inference/tokenizers/bpe.h"
#include "inference/tokenizers/pre_tokenizer.h"

namespace londi::inference {

// What a tokenizer.json says, ready for use. Built by ReadTokenizer.
struct TokenizerParts {
  std::vector<AddedToken> added;             // Found in the text as it is.
  std::vector<AddedToken> added_normalized;  // Found after normalization.
  bool nfc = false;                          // Normalizer NFC.
  PreTokenizer pre_tokenizer;
  Bpe::Parts model;
  std::vector<TokenId> prefix;  // What the post-processor puts before the text, e.g. BOS.
  std::vector<TokenId> suffix;  // ... and behind it.
};

// A text that grows at its end, and its tokens. What cannot change any more is not encoded again.
struct GrowingEncoding {
  std::string text;
  std::vector<TokenId> ids;  // Without the post-processor's prefix and suffix.

  // Whatever follows `text`: its encoding begins with the first `stable_ids` ids, which stand for
  // the first `stable_bytes` bytes.
  std::size_t stable_bytes = 0;
  std::size_t stable_ids = 0;
  std::size_t segment_begin = 0;  // Behind the last added token before stable_bytes.
};

// Byte-level BPE with the results of the `tokenizers` package. Not thread-safe (it remembers
// words).
class Tokenizer {
 public:
  explicit Tokenizer(TokenizerParts parts);

  // Ids of `text` without prefix and suffix. All texts are valid UTF-8 (IsValidUtf8).
  std::vector<TokenId> Encode(std::string_view text);

  // Brings `encoding` to `text`; costs what is new where `text` begins with the old text.
  void Extend(GrowingEncoding& encoding, std::string_view text);

  // Encodes encoding.text + `continuation` and returns the ids behind the first
  // encoding.stable_ids, which are those of `encoding`. Restores `encoding` before it returns.
  std::vector<TokenId> EncodeContinuation(GrowingEncoding& encoding, std::string_view continuation);

  // The bytes that `ids` stand for (incomplete UTF-8 where a character is cut); unknown ids are
  // left out.
  std::string Decode(const std::vector<TokenId>& ids) const;

  const std::vector<TokenId>& prefix() const { return prefix_; }
  const std::vector<TokenId>& suffix() const { return suffix_; }
  TokenId largest_id() const { return largest_id_; }

 private:
  // Encodes `text` from the stable place on, and moves the place to the last one there is.
  void Resume(std::string_view text, GrowingEncoding& encoding);
  // Encodes text[from, end), where no added token of the raw text is; `segment` is what lies behind
  // the last one. Notes stable places up to `limit`.
  struct Range {
    std::size_t segment = 0;
    std::size_t from = 0;
    std::size_t end = 0;
  };
  void EncodeRange(std::string_view text,
                   Range range,
                   std::size_t limit,
                   GrowingEncoding& encoding);
  // The same where no added token is at all.
  void EncodePlain(std::string_view text,
                   Range range,
                   std::size_t limit,
                   GrowingEncoding& encoding);
  // Encodes all of a text that normalization may change.
  std::vector<TokenId> EncodeNormalized(std::string_view text);
  void EncodeWord(std::string_view word, std::vector<TokenId>& out);

  AddedTokens added_;
  AddedTokens added_normalized_;
  const bool nfc_;
  const PreTokenizer pre_tokenizer_;
  std::unordered_map<TokenId, std::string> bytes_of_;
  Bpe bpe_;
  const std::vector<TokenId> prefix_;
  const std::vector<TokenId> suffix_;
  TokenId largest_id_ = -1;

  struct WordHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view word) const {
      return std::hash<std::string_view>{}(word);
    }
  };
  std::unordered_map<std::string, std::vector<TokenId>, WordHash, std::equal_to<>> words_;
  struct Boundary {
    std::size_t bytes = 0;
    std::size_t ids = 0;
  };
  std::vector<Boundary> boundaries_;  // Of the segment that is being encoded.
};

}  // namespace londi::inference
