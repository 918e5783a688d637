#include "inference/tokenizers/bpe.h"

#include <queue>

#include "core/error.h"

namespace londi::inference {
namespace {

std::uint64_t PairKey(TokenId left, TokenId right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) |
         static_cast<std::uint32_t>(right);
}

// A symbol of a word in progress: a doubly linked list within a vector.
struct Symbol {
  TokenId id = 0;
  std::int32_t previous = -1;
  std::int32_t next = -1;
};

struct Candidate {
  std::int32_t rank = 0;
  std::int32_t position = 0;  // Of the left symbol.
  TokenId left = 0;           // To recognise candidates that an earlier merge has taken away.
  TokenId right = 0;
  TokenId merged = 0;
};

struct WorseThan {
  bool operator()(const Candidate& a, const Candidate& b) const {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  }
};

}  // namespace

Bpe::Bpe(Parts parts)
    : vocab_(std::move(parts.vocab)), bytes_(256, -1), ignore_merges_(parts.ignore_merges) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto found = vocab_.find(std::string(1, static_cast<char>(byte)));
    if (found != vocab_.end()) bytes_[byte] = found->second;
  }
  const auto id_of = [this](const std::string& token) {
    const auto found = vocab_.find(token);
    if (found != vocab_.end()) return found->second;
    throw core::ModelError({.what = "tokenizer.json: a merge names the token '" + token + "'",
                            .why = "it is not in model.vocab",
                            .fix = "obtain tokenizer.json again: it is damaged"});
  };
  for (std::size_t rank = 0; rank < parts.merges.size(); ++rank) {
    const auto& [left, right] = parts.merges[rank];
    merges_[PairKey(id_of(left), id_of(right))] = {.rank = static_cast<std::int32_t>(rank),
                                                   .id = id_of(left + right)};
  }
}

const Bpe::Merged* Bpe::FindMerge(TokenId left, TokenId right) const {
  const auto found = merges_.find(PairKey(left, right));
  return found == merges_.end() ? nullptr : &found->second;
}

void Bpe::Encode(std::string_view word, std::vector<TokenId>& out) const {
  if (ignore_merges_) {
    const auto whole = vocab_.find(std::string(word));
    if (whole != vocab_.end()) {
      out.push_back(whole->second);
      return;
    }
  }
  std::vector<Symbol> symbols;
  symbols.reserve(word.size());
  for (const char byte : word) {
    const TokenId id = bytes_[static_cast<unsigned char>(byte)];
    if (id < 0) continue;
    const auto position = static_cast<std::int32_t>(symbols.size());
    symbols.push_back({.id = id, .previous = position - 1, .next = position + 1});
  }
  if (symbols.empty()) return;
  symbols.back().next = -1;

  std::priority_queue<Candidate, std::vector<Candidate>, WorseThan> candidates;
  const auto consider = [&](std::int32_t position) {
    if (position < 0 || symbols[position].next < 0) return;
    const TokenId left = symbols[position].id, right = symbols[symbols[position].next].id;
    if (const Merged* merge = FindMerge(left, right)) {
      candidates.push({merge->rank, position, left, right, merge->id});
    }
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) consider(static_cast<std::int32_t>(i));
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.position];
    if (left.id != best.left || left.next < 0 || symbols[left.next].id != best.right) continue;
    Symbol& right = symbols[left.next];
    left.id = best.merged;
    right.id = -1;  // Gone.
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = best.position;
    consider(left.previous);
    consider(best.position);
  }
  for (std::int32_t i = 0; i >= 0; i = symbols[i].next) out.push_back(symbols[i].id);
}

}  // namespace londi::inference
