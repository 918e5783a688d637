#include "inference/tokenizers/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

#include "core/error.h"

namespace londi::inference {
namespace {

constexpr std::uint32_t kLargestWork = 10'000'000;  // PCRE2's own default is as large.

std::string MessageOf(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

[[noreturn]] void Fail(const std::string& pattern, const std::string& why) {
  throw core::ModelError(
      {.what = "tokenizer.json: the pattern '" + pattern + "' cannot be used",
       .why = why,
       .fix = "use a tokenizer with another pre_tokenizer, or rewrite the pattern"});
}

// Constructs that PCRE2 compiles, but to another meaning than Oniguruma.
void RejectOtherDialect(const std::string& pattern) {
  for (const char* construct : {"\\h", "\\H", "\\R", "\\K", "(?m", "&&"}) {
    if (pattern.find(construct) != std::string::npos) {
      Fail(pattern, std::string("'") + construct + "' means something else in other engines");
    }
  }
}

}  // namespace

struct Regex::Compiled {
  std::string pattern;
  std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code{nullptr, pcre2_code_free};
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data{nullptr,
                                                                           pcre2_match_data_free};
  std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context{
      pcre2_match_context_create(nullptr), pcre2_match_context_free};
};

Regex::Regex(const std::string& pattern, Syntax syntax) : compiled_(std::make_unique<Compiled>()) {
  std::uint32_t options = PCRE2_UTF;
  if (syntax == Syntax::kLiteral) {
    options |= PCRE2_LITERAL;
  } else {
    RejectOtherDialect(pattern);
    options |= PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  }
  const std::unique_ptr<pcre2_compile_context, decltype(&pcre2_compile_context_free)> context(
      pcre2_compile_context_create(nullptr), pcre2_compile_context_free);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int error = 0;
  PCRE2_SIZE offset = 0;
  compiled_->pattern = pattern;
  compiled_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()),
                                      pattern.size(),
                                      options,
                                      &error,
                                      &offset,
                                      context.get()));
  if (compiled_->code == nullptr) {
    Fail(pattern, MessageOf(error) + " at byte " + std::to_string(offset));
  }
  // Without JIT support the interpreter is used: slower, the same results.
  pcre2_jit_compile(compiled_->code.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
  compiled_->data.reset(pcre2_match_data_create_from_pattern(compiled_->code.get(), nullptr));
  pcre2_set_match_limit(compiled_->context.get(), kLargestWork);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

std::optional<Regex::Match> Regex::FindOnce(std::string_view text,
                                            std::size_t from,
                                            unsigned options,
                                            bool& partial) const {
  const int found = pcre2_match(compiled_->code.get(),
                                reinterpret_cast<PCRE2_SPTR>(text.data()),
                                text.size(),
                                from,
                                options | PCRE2_NO_UTF_CHECK,
                                compiled_->data.get(),
                                compiled_->context.get());
  partial = found == PCRE2_ERROR_PARTIAL;
  if (partial || found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0) Fail(compiled_->pattern, "matching failed: " + MessageOf(found));
  const PCRE2_SIZE* range = pcre2_get_ovector_pointer(compiled_->data.get());
  return Match{.begin = range[0], .end = range[1]};
}

Regex::Result Regex::Find(std::string_view text, std::size_t from) const {
  bool partial = false;
  // "Hard": reports a partial match as soon as the end of the text is looked at.
  const auto match = FindOnce(text, from, PCRE2_PARTIAL_HARD, partial);
  if (match) return {.match = match, .stable = true};
  if (!partial) return {};
  return {.match = FindOnce(text, from, 0, partial)};
}

}  // namespace londi::inference
