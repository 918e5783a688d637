#include "inference/tokenizers/pre_tokenizer.h"

#include <utf8proc.h>

#include <algorithm>

namespace londi::inference {
namespace {

// A stretch of text between two cuts.
struct Stretch {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool is_match = false;
};

// Joins neighbours as `behavior` says. Source: huggingface/tokenizers, normalizer.rs, split().
std::vector<Stretch> Join(const std::vector<Stretch>& stretches, SplitBehavior behavior) {
  std::vector<Stretch> joined;
  bool previous_is_match = false;
  const auto add = [&](const Stretch& stretch, bool join) {
    if (join && !joined.empty()) {
      joined.back().begin = std::min(joined.back().begin, stretch.begin);
      joined.back().end = std::max(joined.back().end, stretch.end);
    } else {
      joined.push_back(stretch);
    }
    previous_is_match = stretch.is_match;
  };
  if (behavior == SplitBehavior::kMergedWithNext) {
    std::for_each(stretches.rbegin(), stretches.rend(), [&](const Stretch& stretch) {
      add(stretch, stretch.is_match && !previous_is_match);
    });
    std::reverse(joined.begin(), joined.end());
    return joined;
  }
  for (const Stretch& stretch : stretches) {
    add(stretch,
        behavior == SplitBehavior::kContiguous ? stretch.is_match == previous_is_match
                                               : stretch.is_match && !previous_is_match);
  }
  return joined;
}

std::size_t NextCharacter(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

class RegexSplitter final : public Splitter {
 public:
  RegexSplitter(Regex regex, SplitBehavior behavior, bool invert)
      : regex_(std::move(regex)), behavior_(behavior), invert_(invert) {}

  std::size_t Split(std::string_view text,
                    std::size_t from,
                    const OnPiece& on_piece) const override {
    if (behavior_ == SplitBehavior::kIsolated || behavior_ == SplitBehavior::kRemoved) {
      return Scan(text, from, [&](const Stretch& stretch) {
        if (behavior_ == SplitBehavior::kRemoved && stretch.is_match) return;
        Emit(text, stretch, on_piece);
      });
    }
    if (behavior_ == SplitBehavior::kMergedWithPrevious && !invert_) {
      return SplitBehindMatches(text, from, on_piece);
    }
    // Pieces that are joined from several stretches: nothing is called stable.
    std::vector<Stretch> stretches;
    Scan(text, 0, [&](const Stretch& stretch) { stretches.push_back(stretch); });
    for (const Stretch& stretch : Join(stretches, behavior_)) Emit(text, stretch, on_piece);
    return 0;
  }

 private:
  static void Emit(std::string_view text, const Stretch& stretch, const OnPiece& on_piece) {
    if (stretch.end > stretch.begin) {
      on_piece(text.substr(stretch.begin, stretch.end - stretch.begin));
    }
  }

  // What Join makes of matches that end their pieces, as far as it cannot change any more: the
  // tokenizers of `londi finetune` split lines so, and all of a prompt would be split again for
  // each of its candidates.
  std::size_t SplitBehindMatches(std::string_view text,
                                 std::size_t from,
                                 const OnPiece& on_piece) const {
    std::size_t begin = from;
    const std::size_t stable = Scan(text, from, [&](const Stretch& stretch) {
      if (!stretch.is_match) return;
      Emit(text, {.begin = begin, .end = stretch.end}, on_piece);
      begin = stretch.end;
    });
    Emit(text, {.begin = begin, .end = text.size()}, on_piece);
    return stable;
  }

  // Calls `on_stretch` for the matches and the texts between them. Returns where the stable ones
  // end.
  template <class OnStretch>
  std::size_t Scan(std::string_view text, std::size_t from, const OnStretch& on_stretch) const {
    std::size_t done = from;  // Up to here stretches were emitted.
    std::size_t stable = from;
    bool all_stable = true;
    std::size_t search_from = from;
    while (search_from <= text.size() && done < text.size()) {
      const Regex::Result result = regex_.Find(text, search_from);
      if (!result.match) break;
      const auto [begin, end] = *result.match;
      if (begin == end && begin == done && begin > from) {  // Empty, right after the last match.
        search_from = NextCharacter(text, begin);
        continue;
      }
      all_stable = all_stable && result.stable;
      if (done < begin) on_stretch(Stretch{done, begin, invert_});
      on_stretch(Stretch{begin, end, !invert_});
      done = end;
      search_from = begin == end ? NextCharacter(text, end) : end;
      if (all_stable && begin < end) stable = done;
    }
    if (done < text.size()) on_stretch(Stretch{done, text.size(), invert_});
    return stable;
  }

  const Regex regex_;
  const SplitBehavior behavior_;
  const bool invert_;
};

bool IsNumber(utf8proc_int32_t character) {
  const utf8proc_category_t category = utf8proc_category(character);
  return category == UTF8PROC_CATEGORY_ND || category == UTF8PROC_CATEGORY_NL ||
         category == UTF8PROC_CATEGORY_NO;
}

class DigitSplitter final : public Splitter {
 public:
  explicit DigitSplitter(bool individual_digits) : individual_digits_(individual_digits) {}

  std::size_t Split(std::string_view text,
                    std::size_t from,
                    const OnPiece& on_piece) const override {
    std::size_t begin = from;  // Of the run that is being read.
    bool run_is_number = false;
    std::size_t at = from;
    while (at < text.size()) {
      utf8proc_int32_t character = 0;
      const auto length =
          utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                           static_cast<utf8proc_ssize_t>(text.size() - at),
                           &character);
      const bool is_number = IsNumber(character);
      const bool ends_run = is_number != run_is_number || (is_number && individual_digits_);
      if (ends_run && at > begin) {
        on_piece(text.substr(begin, at - begin));
        begin = at;
      }
      run_is_number = is_number;
      at += static_cast<std::size_t>(std::max<utf8proc_ssize_t>(length, 1));
    }
    if (at > begin) on_piece(text.substr(begin, at - begin));
    return begin;
  }

 private:
  const bool individual_digits_;
};

}  // namespace

std::unique_ptr<Splitter> MakeRegexSplitter(Regex regex, SplitBehavior behavior, bool invert) {
  return std::make_unique<RegexSplitter>(std::move(regex), behavior, invert);
}

std::unique_ptr<Splitter> MakeDigitSplitter(bool individual_digits) {
  return std::make_unique<DigitSplitter>(individual_digits);
}

std::size_t PreTokenizer::Split(std::string_view text,
                                std::size_t from,
                                const Splitter::OnPiece& on_piece,
                                const OnBoundary& on_boundary) const {
  // A space before the text moves everything, so the first step must not be resumed after it.
  const bool first_sees_prefix = add_prefix_space && prefix_space_at == 0;
  if (splitters.empty() || first_sees_prefix) {
    SplitPiece(text, 0, on_piece);
    return 0;
  }
  return splitters.front()->Split(text, from, [&](std::string_view piece) {
    SplitPiece(piece, 1, on_piece);
    on_boundary(static_cast<std::size_t>(piece.data() - text.data()) + piece.size());
  });
}

void PreTokenizer::SplitPiece(std::string_view piece,
                              std::size_t step,
                              const Splitter::OnPiece& on_piece) const {
  if (add_prefix_space && step == prefix_space_at && !piece.starts_with(' ')) {
    const std::string prefixed = " " + std::string(piece);
    if (step == splitters.size()) return on_piece(prefixed);
    splitters[step]->Split(
        prefixed, 0, [&](std::string_view inner) { SplitPiece(inner, step + 1, on_piece); });
    return;
  }
  if (step == splitters.size()) return on_piece(piece);
  splitters[step]->Split(
      piece, 0, [&](std::string_view inner) { SplitPiece(inner, step + 1, on_piece); });
}

}  // namespace londi::inference
