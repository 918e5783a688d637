#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace londi::inference {

// A compiled pattern (PCRE2 with JIT) as tokenizer.json means it: Unicode classes, ^ and $ at line
// ends as in Oniguruma's Ruby syntax. Not thread-safe: one object per thread.
class Regex {
 public:
  enum class Syntax { kRegex, kLiteral };
  // Throws core::ModelError when the pattern does not compile, or uses one of the few constructs
  // that mean something else in Oniguruma (\h, (?m), && within a class).
  Regex(const std::string& pattern, Syntax syntax);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  struct Result {
    std::optional<Match> match;
    // No text appended to `text` could change this result: the matcher never looked at its end.
    bool stable = false;
  };
  // The first match that begins at `from` or later; `text` is valid UTF-8. A result that is not
  // stable is nevertheless the right one for `text` as it is. Throws core::ModelError when matching
  // takes too much work (a pattern of exponential cost).
  Result Find(std::string_view text, std::size_t from) const;

 private:
  struct Compiled;
  std::optional<Match> FindOnce(std::string_view text,
                                std::size_t from,
                                unsigned options,
                                bool& partial) const;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace londi::inference
