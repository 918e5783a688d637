#include "inference/tokenizers/added_tokens.h"

#include <utf8proc.h>

#include <algorithm>

namespace londi::inference {
namespace {

std::int32_t CharacterAt(std::string_view text, std::size_t at) {
  utf8proc_int32_t character = -1;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                   static_cast<utf8proc_ssize_t>(text.size() - at),
                   &character);
  return character;
}

std::size_t PreviousCharacter(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

std::size_t NextCharacter(std::string_view text, std::size_t at) {
  do {
    ++at;
  } while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

// \s
bool IsSpace(std::int32_t c) {
  return (c >= 9 && c <= 13) || c == 0x85 || utf8proc_category(c) == UTF8PROC_CATEGORY_ZS ||
         utf8proc_category(c) == UTF8PROC_CATEGORY_ZL ||
         utf8proc_category(c) == UTF8PROC_CATEGORY_ZP;
}

// \w
bool IsWord(std::int32_t c) {
  const utf8proc_category_t category = utf8proc_category(c);
  return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NL) ||
         category == UTF8PROC_CATEGORY_PC;
}

bool StandsAlone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool left = begin == 0 || !IsWord(CharacterAt(text, PreviousCharacter(text, begin)));
  return left && (end == text.size() || !IsWord(CharacterAt(text, end)));
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const AddedToken& a, const AddedToken& b) {
    return a.content.size() > b.content.size();
  });
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const AddedToken& token = tokens_[i];
    by_first_[static_cast<unsigned char>(token.content.front())].push_back(i);
    depends_on_neighbours_ |= token.lstrip || token.rstrip || token.single_word;
  }
}

const AddedToken* AddedTokens::LongestAt(std::string_view text, std::size_t at) const {
  for (const std::size_t i : by_first_[static_cast<unsigned char>(text[at])]) {
    if (text.substr(at).starts_with(tokens_[i].content)) return &tokens_[i];
  }
  return nullptr;
}

std::optional<AddedTokens::Hit> AddedTokens::Find(std::string_view text, std::size_t from) const {
  if (tokens_.empty()) return std::nullopt;
  for (std::size_t at = from; at < text.size(); ++at) {
    const AddedToken* token = LongestAt(text, at);
    if (token == nullptr) continue;
    Hit hit{.begin = at, .end = at + token->content.size(), .id = token->id};
    if (token->single_word && !StandsAlone(text, hit.begin, hit.end)) {
      at = hit.end - 1;
      continue;
    }
    while (token->lstrip && hit.begin > from) {
      const std::size_t previous = PreviousCharacter(text, hit.begin);
      if (!IsSpace(CharacterAt(text, previous))) break;
      hit.begin = previous;
    }
    while (token->rstrip && hit.end < text.size() && IsSpace(CharacterAt(text, hit.end))) {
      hit.end = NextCharacter(text, hit.end);
    }
    return hit;
  }
  return std::nullopt;
}

std::size_t AddedTokens::StableEnd(std::string_view text) const {
  if (depends_on_neighbours_) return 0;
  std::size_t stable = text.size();
  for (const AddedToken& token : tokens_) {
    for (std::size_t size = std::min(token.content.size() - 1, text.size()); size > 0; --size) {
      if (!text.ends_with(std::string_view(token.content).substr(0, size))) continue;
      stable = std::min(stable, text.size() - size);
      break;
    }
  }
  return stable;
}

}  // namespace londi::inference
