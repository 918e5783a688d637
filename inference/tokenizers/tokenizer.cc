#include "inference/tokenizers/tokenizer.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "core/error.h"
#include "inference/tokenizers/byte_level.h"

namespace londi::inference {
namespace {

constexpr std::size_t kMostWords = 50'000;  // Remembered; then all are forgotten.
constexpr std::size_t kLongestWord = 256;   // Bytes of a remembered word.

std::string ToNfc(std::string_view text) {
  utf8proc_uint8_t* result = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()),
                   &result,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owned(result, std::free);
  if (size < 0) {
    throw core::ModelError({.what = "a text cannot be normalized",
                            .why = utf8proc_errmsg(size),
                            .fix = "send valid UTF-8"});
  }
  return {reinterpret_cast<const char*>(result), static_cast<std::size_t>(size)};
}

}  // namespace

Tokenizer::Tokenizer(TokenizerParts parts)
    : added_(parts.added),
      added_normalized_(parts.added_normalized),
      nfc_(parts.nfc),
      pre_tokenizer_(std::move(parts.pre_tokenizer)),
      bpe_(parts.model),
      prefix_(std::move(parts.prefix)),
      suffix_(std::move(parts.suffix)) {
  for (const auto& [bytes, id] : parts.model.vocab) bytes_of_[id] = bytes;
  for (const auto* added : {&parts.added, &parts.added_normalized}) {
    for (const AddedToken& token : *added) bytes_of_[token.id] = token.content;
  }
  for (const auto& [id, bytes] : bytes_of_) largest_id_ = std::max(largest_id_, id);
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text) {
  GrowingEncoding encoding;
  Resume(text, encoding);
  return std::move(encoding.ids);
}

void Tokenizer::Extend(GrowingEncoding& encoding, std::string_view text) {
  if (!text.starts_with(encoding.text)) encoding = {};
  Resume(text, encoding);
  encoding.text = text;
}

std::vector<TokenId> Tokenizer::EncodeContinuation(GrowingEncoding& encoding,
                                                   std::string_view continuation) {
  GrowingEncoding joint{.stable_bytes = encoding.stable_bytes,
                        .segment_begin = encoding.segment_begin};
  const std::size_t size = encoding.text.size();
  encoding.text += continuation;
  if (nfc_ && !IsAscii(encoding.text)) {
    joint.ids = EncodeNormalized(encoding.text);
    joint.ids.erase(joint.ids.begin(),
                    joint.ids.begin() + static_cast<std::ptrdiff_t>(encoding.stable_ids));
  } else {
    Resume(encoding.text, joint);
  }
  encoding.text.resize(size);
  return std::move(joint.ids);
}

void Tokenizer::Resume(std::string_view text, GrowingEncoding& encoding) {
  if (nfc_ && !IsAscii(text)) {
    encoding = {};
    encoding.ids = EncodeNormalized(text);
    return;
  }
  encoding.ids.resize(encoding.stable_ids);
  std::size_t limit = std::min(added_.StableEnd(text), added_normalized_.StableEnd(text));
  // A combining character that follows may change the last character.
  if (nfc_ && limit == text.size() && limit > 0) --limit;
  Range range{.segment = encoding.segment_begin, .from = encoding.stable_bytes};
  while (true) {
    const std::optional<AddedTokens::Hit> hit = added_.Find(text, range.from);
    range.end = hit ? hit->begin : text.size();
    EncodeRange(text, range, limit, encoding);
    if (!hit) return;
    encoding.ids.push_back(hit->id);
    range.segment = range.from = hit->end;
    if (hit->end > limit) continue;
    encoding.stable_bytes = encoding.segment_begin = hit->end;
    encoding.stable_ids = encoding.ids.size();
  }
}

void Tokenizer::EncodeRange(std::string_view text,
                            Range range,
                            std::size_t limit,
                            GrowingEncoding& encoding) {
  const std::string_view seen = text.substr(0, range.end);
  Range plain{.segment = range.segment, .from = range.from};
  while (true) {
    // Neighbours count from the segment's begin only.
    const auto hit = added_normalized_.Find(seen.substr(range.segment), plain.from - range.segment);
    plain.end = hit ? hit->begin + range.segment : range.end;
    EncodePlain(text, plain, limit, encoding);
    if (!hit) return;
    encoding.ids.push_back(hit->id);
    plain.segment = plain.from = hit->end + range.segment;
    if (plain.from > limit) continue;
    encoding.stable_bytes = encoding.segment_begin = plain.from;
    encoding.stable_ids = encoding.ids.size();
  }
}

void Tokenizer::EncodePlain(std::string_view text,
                            Range range,
                            std::size_t limit,
                            GrowingEncoding& encoding) {
  if (range.from >= range.end) return;
  const std::string_view segment = text.substr(range.segment, range.end - range.segment);
  boundaries_.clear();
  const std::size_t stable = pre_tokenizer_.Split(
      segment,
      range.from - range.segment,
      [&](std::string_view word) { EncodeWord(word, encoding.ids); },
      [&](std::size_t place) {
        boundaries_.push_back({place, encoding.ids.size()});
      });
  for (auto boundary = boundaries_.rbegin(); boundary != boundaries_.rend(); ++boundary) {
    if (boundary->bytes > stable || boundary->bytes + range.segment > limit) continue;
    encoding.stable_bytes = boundary->bytes + range.segment;
    encoding.stable_ids = boundary->ids;
    encoding.segment_begin = range.segment;
    return;
  }
}

std::vector<TokenId> Tokenizer::EncodeNormalized(std::string_view text) {
  GrowingEncoding encoding;
  std::size_t from = 0;
  while (true) {
    const std::optional<AddedTokens::Hit> hit = added_.Find(text, from);
    const std::size_t end = hit ? hit->begin : text.size();
    if (from < end) {
      const std::string normalized = ToNfc(text.substr(from, end - from));
      EncodeRange(normalized, {.end = normalized.size()}, /*limit=*/0, encoding);
    }
    if (!hit) return std::move(encoding.ids);
    encoding.ids.push_back(hit->id);
    from = hit->end;
  }
}

void Tokenizer::EncodeWord(std::string_view word, std::vector<TokenId>& out) {
  const auto known = words_.find(word);
  if (known != words_.end()) {
    out.insert(out.end(), known->second.begin(), known->second.end());
    return;
  }
  const std::size_t before = out.size();
  bpe_.Encode(word, out);
  if (word.size() > kLongestWord) return;
  if (words_.size() >= kMostWords) words_.clear();
  words_.emplace(
      word, std::vector<TokenId>(out.begin() + static_cast<std::ptrdiff_t>(before), out.end()));
}

std::string Tokenizer::Decode(const std::vector<TokenId>& ids) const {
  std::string bytes;
  for (const TokenId id : ids) {
    const auto found = bytes_of_.find(id);
    if (found != bytes_of_.end()) bytes += found->second;
  }
  return bytes;
}

}  // namespace londi::inference
