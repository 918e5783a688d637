#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inference/tokenizers/regex.h"

namespace londi::inference {

// One step of pre_tokenizer: cuts a text into pieces.
class Splitter {
 public:
  using OnPiece = std::function<void(std::string_view)>;

  virtual ~Splitter() = default;

  // Calls `on_piece` for each piece of `text` that begins at `from` or later, in order. `from` is 0
  // or a value that an earlier call returned for a prefix of `text`. Returns the end of the last
  // piece that no text appended to `text` can change; `from` when there is none.
  virtual std::size_t Split(std::string_view text,
                            std::size_t from,
                            const OnPiece& on_piece) const = 0;
};

// How the matches of a pattern and the texts between them become pieces.
enum class SplitBehavior { kIsolated, kRemoved, kMergedWithPrevious, kMergedWithNext, kContiguous };

// Split of tokenizer.json. `invert`: what does not match counts as matching.
std::unique_ptr<Splitter> MakeRegexSplitter(Regex regex, SplitBehavior behavior, bool invert);

// Digits of tokenizer.json: digits (any Unicode number) apart from the rest, one by one or in runs.
std::unique_ptr<Splitter> MakeDigitSplitter(bool individual_digits);

// The steps of pre_tokenizer one after another; the bytes of its pieces are what BPE encodes.
struct PreTokenizer {
  std::vector<std::unique_ptr<Splitter>> splitters;
  // ByteLevel(add_prefix_space): its pieces begin with a space ...
  bool add_prefix_space = false;
  // ... before the splitters from here on see them (the number of splitters if after all).
  std::size_t prefix_space_at = 0;

  // As Splitter::Split, for all steps. `on_boundary` is called with the places between the pieces
  // of the first step, after the pieces before them.
  using OnBoundary = std::function<void(std::size_t)>;
  std::size_t Split(std::string_view text,
                    std::size_t from,
                    const Splitter::OnPiece& on_piece,
                    const OnBoundary& on_boundary) const;

 private:
  void SplitPiece(std::string_view piece,
                  std::size_t step,
                  const Splitter::OnPiece& on_piece) const;
};

}  // namespace londi::inference
