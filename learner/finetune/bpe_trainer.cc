#include "learner/finetune/bpe_trainer.h"

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "inference/tokenizers/byte_level.h"
#include "inference/tokenizers/tokenizer_json.h"

namespace londi::learner {
namespace {

using Pair = std::pair<std::string, std::string>;  // Raw bytes.

nlohmann::ordered_json Split(const std::string& pattern, const char* behavior) {
  return {{"type", "Split"},
          {"pattern", {{"Regex", pattern}}},
          {"behavior", behavior},
          {"invert", false}};
}

std::string ToJson(const TokenizerOptions& options, const std::vector<Pair>& merges) {
  auto pre_tokenizers = nlohmann::ordered_json::array();
  if (!options.split_after.empty())
    pre_tokenizers.push_back(Split(options.split_after, "MergedWithPrevious"));
  if (!options.split_before.empty())
    pre_tokenizers.push_back(Split(options.split_before, "MergedWithNext"));
  const nlohmann::ordered_json byte_level = {{"type", "ByteLevel"},
                                             {"add_prefix_space", false},
                                             {"trim_offsets", true},
                                             {"use_regex", false}};
  pre_tokenizers.push_back(byte_level);

  nlohmann::ordered_json vocab, merge_list = nlohmann::ordered_json::array();
  for (int byte = 0; byte < 256; ++byte)
    vocab[inference::ToByteLevel(std::string(1, static_cast<char>(byte)))] = byte;
  std::int32_t next = 256;
  for (const auto& [left, right] : merges) {
    const std::string merged = inference::ToByteLevel(left + right);
    if (!vocab.contains(merged)) vocab[merged] = next++;
    merge_list.push_back({inference::ToByteLevel(left), inference::ToByteLevel(right)});
  }
  return nlohmann::ordered_json{
      {"version", "1.0"},
      {"truncation", nullptr},
      {"padding", nullptr},
      {"added_tokens", nlohmann::ordered_json::array()},
      {"normalizer", nullptr},
      {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", pre_tokenizers}}},
      {"post_processor", nullptr},
      {"decoder", byte_level},
      {"model",
       {{"type", "BPE"},
        {"dropout", nullptr},
        {"unk_token", nullptr},
        {"continuing_subword_prefix", nullptr},
        {"end_of_word_suffix", nullptr},
        {"fuse_unk", false},
        {"byte_fallback", false},
        {"ignore_merges", false},
        {"vocab", vocab},
        {"merges", merge_list}}}}
      .dump(1);
}

struct Word {
  std::vector<std::string> symbols;
  std::int64_t count = 0;
};

std::vector<Word> SplitIntoWords(const std::vector<std::string>& texts,
                                 const TokenizerOptions& options) {
  const inference::TokenizerParts untrained =
      inference::ParseTokenizer(ToJson(options, {}), "the tokenizer to be trained");
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const std::string& text : texts) {
    static_cast<void>(untrained.pre_tokenizer.Split(
        text, 0, [&](std::string_view word) { ++counts[std::string(word)]; }, [](std::size_t) {}));
  }
  std::vector<Word> words;
  for (const auto& [bytes, count] : counts) {
    Word word{.count = count};
    for (const char byte : bytes) word.symbols.emplace_back(1, byte);
    words.push_back(std::move(word));
  }
  return words;
}

// Count 0: there is no pair.
std::pair<Pair, std::int64_t> MostFrequentPair(const std::vector<Word>& words) {
  std::map<std::pair<std::string_view, std::string_view>, std::int64_t> counts;
  for (const Word& word : words) {
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i)
      counts[{word.symbols[i], word.symbols[i + 1]}] += word.count;
  }
  std::pair<Pair, std::int64_t> best;
  for (const auto& [pair, count] : counts) {
    if (count > best.second) best = {{std::string(pair.first), std::string(pair.second)}, count};
  }
  return best;
}

void Merge(const Pair& pair, Word& word) {
  std::vector<std::string>& symbols = word.symbols;
  std::size_t out = 0;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool merges =
        i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
    std::string symbol = merges ? pair.first + pair.second : std::move(symbols[i]);
    i += merges;
    symbols[out++] = std::move(symbol);
  }
  symbols.resize(out);
}

}  // namespace

void TokenizerOptions::Validate() const {
  if (vocab_size >= 256) return;
  throw core::ConfigError({.what = "the tokenizer's vocabulary is " + std::to_string(vocab_size),
                           .why = "each of the 256 bytes is a token",
                           .fix = "set tokenizer.vocab_size to 256 or more"});
}

std::string TrainTokenizer(const std::vector<std::string>& texts, const TokenizerOptions& options) {
  options.Validate();
  std::vector<Word> words = SplitIntoWords(texts, options);
  std::vector<Pair> merges;
  while (static_cast<std::int32_t>(256 + merges.size()) < options.vocab_size) {
    const auto [pair, count] = MostFrequentPair(words);
    if (count < 2) break;
    for (Word& word : words) Merge(pair, word);
    merges.push_back(pair);
  }
  return ToJson(options, merges);
}

}  // namespace londi::learner
