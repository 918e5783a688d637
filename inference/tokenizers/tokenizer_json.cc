#include "inference/tokenizers/tokenizer_json.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/error.h"
#include "inference/tokenizers/byte_level.h"

namespace londi::inference {
namespace {

using Json = nlohmann::json;

// ByteLevel's own pattern. Source: GPT-2's encoder.py.
constexpr const char* kByteLevelPattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

constexpr TokenId kLargestId = 1 << 24;

// A JSON value with its place in the file, for errors.
class Field {
 public:
  Field(const Json& value, std::string path) : value_(&value), path_(std::move(path)) {}

  const Json& json() const { return *value_; }
  bool is_null() const { return value_->is_null(); }

  [[noreturn]] void Fail(const std::string& what, const std::string& why) const {
    throw core::ModelError({.what = path_ + ": " + what,
                            .why = why,
                            .fix = "use a folder with a byte-level BPE tokenizer.json, as GPT-2, "
                                   "Llama 3, Qwen, SmolLM2 and `londi finetune` have"});
  }

  // Null where the key is absent.
  Field operator[](const std::string& key) const {
    static const Json kNull;
    if (!value_->is_object()) Fail("is no object", "it has named parts");
    const auto found = value_->find(key);
    return {found == value_->end() ? kNull : *found, path_ + "." + key};
  }

  std::vector<Field> Items() const {
    if (!value_->is_array()) Fail("is no list", "it has several items");
    std::vector<Field> items;
    for (std::size_t i = 0; i < value_->size(); ++i) {
      items.emplace_back((*value_)[i], path_ + "[" + std::to_string(i) + "]");
    }
    return items;
  }

  std::string Text() const {
    if (!value_->is_string()) Fail("is no text", "a text stands here");
    return value_->get<std::string>();
  }

  bool Flag(bool absent) const {
    if (is_null()) return absent;
    if (!value_->is_boolean()) Fail("is neither true nor false", "it is a choice");
    return value_->get<bool>();
  }

  TokenId Id() const {
    if (!value_->is_number_integer() || value_->get<std::int64_t>() < 0 ||
        value_->get<std::int64_t>() > kLargestId) {
      Fail("is no token id", "ids lie between 0 and " + std::to_string(kLargestId));
    }
    return value_->get<TokenId>();
  }

  // "" where there is none.
  std::string Type() const { return is_null() ? "" : (*this)["type"].Text(); }

  [[noreturn]] void FailType() const {
    Fail("type '" + Type() + "' is not supported", "its results would differ from the original's");
  }

  void OnlyKeys(std::initializer_list<const char*> known) const {
    for (const auto& [key, value] : json().items()) {
      if (std::find(known.begin(), known.end(), key) == known.end()) {
        Fail("unknown field '" + key + "'", "it may change the tokens");
      }
    }
  }

 private:
  const Json* value_;
  std::string path_;
};

void ReadNormalizer(const Field& field, TokenizerParts& parts) {
  const std::string type = field.Type();
  if (type.empty()) return;
  if (type == "NFC") {
    parts.nfc = true;
  } else if (type == "Sequence") {
    for (const Field& item : field["normalizers"].Items()) ReadNormalizer(item, parts);
  } else {
    field.FailType();
  }
}

SplitBehavior ReadBehavior(const Field& field) {
  const std::array<std::pair<const char*, SplitBehavior>, 5> names = {
      {{"Isolated", SplitBehavior::kIsolated},
       {"Removed", SplitBehavior::kRemoved},
       {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
       {"MergedWithNext", SplitBehavior::kMergedWithNext},
       {"Contiguous", SplitBehavior::kContiguous}}};
  const std::string text = field.Text();
  for (const auto& [name, behavior] : names) {
    if (text == name) return behavior;
  }
  field.Fail("'" + text + "' is not supported", "there is no such behaviour");
}

std::unique_ptr<Splitter> ReadSplit(const Field& field) {
  field.OnlyKeys({"type", "pattern", "behavior", "invert"});
  const Field pattern = field["pattern"];
  const bool literal = pattern.json().is_object() && pattern.json().contains("String");
  Regex regex(pattern[literal ? "String" : "Regex"].Text(),
              literal ? Regex::Syntax::kLiteral : Regex::Syntax::kRegex);
  return MakeRegexSplitter(
      std::move(regex), ReadBehavior(field["behavior"]), field["invert"].Flag(false));
}

void ReadByteLevel(const Field& field, PreTokenizer& pre_tokenizer) {
  field.OnlyKeys({"type", "add_prefix_space", "trim_offsets", "use_regex"});
  pre_tokenizer.add_prefix_space = field["add_prefix_space"].Flag(true);
  pre_tokenizer.prefix_space_at = pre_tokenizer.splitters.size();
  if (!field["use_regex"].Flag(true)) return;
  pre_tokenizer.splitters.push_back(MakeRegexSplitter(
      Regex(kByteLevelPattern, Regex::Syntax::kRegex), SplitBehavior::kIsolated, false));
}

void ReadPreTokenizer(const Field& field, TokenizerParts& parts) {
  const std::vector<Field> steps =
      field.Type() == "Sequence" ? field["pretokenizers"].Items() : std::vector<Field>{field};
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::string type = steps[i].Type();
    const bool is_last = i + 1 == steps.size();
    if ((type == "ByteLevel") != is_last) {
      field.Fail("is not of byte level", "its last step, and only that, must be ByteLevel");
    }
    if (type == "ByteLevel") {
      ReadByteLevel(steps[i], parts.pre_tokenizer);
    } else if (type == "Split") {
      parts.pre_tokenizer.splitters.push_back(ReadSplit(steps[i]));
    } else if (type == "Digits") {
      parts.pre_tokenizer.splitters.push_back(
          MakeDigitSplitter(steps[i]["individual_digits"].Flag(false)));
    } else {
      steps[i].FailType();
    }
  }
  if (steps.empty()) field.Fail("is empty", "its last step must be ByteLevel");
}

std::string ReadToken(const Field& field, const std::string& text) {
  // A token with characters outside of the alphabet can only be reached as an added token.
  if (text.empty()) field.Fail("has an empty token", "tokens have bytes");
  return FromByteLevel(text).value_or("");
}

BpeMerge ReadMerge(const Field& field, const Json& merge) {
  std::string left, right;
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) {
      field.Fail("'" + text + "' is no merge", "two tokens with a space between are");
    }
    left = text.substr(0, space);
    right = text.substr(space + 1);
  } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
             merge[1].is_string()) {
    left = merge[0].get<std::string>();
    right = merge[1].get<std::string>();
  } else {
    field.Fail("holds something else than merges", "\"a b\" or [\"a\", \"b\"] are merges");
  }
  return {.left = ReadToken(field, left), .right = ReadToken(field, right)};
}

void ReadModel(const Field& field, Bpe::Parts& model) {
  if (field.is_null()) field.Fail("is missing", "it holds the vocabulary");
  const std::string type = field["type"].is_null() ? "BPE" : field.Type();
  if (type != "BPE") field.FailType();
  field.OnlyKeys({"type",
                  "dropout",
                  "unk_token",
                  "continuing_subword_prefix",
                  "end_of_word_suffix",
                  "fuse_unk",
                  "byte_fallback",
                  "ignore_merges",
                  "vocab",
                  "merges"});
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    const Field affix = field[key];
    if (!affix.is_null() && affix.json() != "") affix.Fail("is set", "byte-level BPE has none");
  }
  const Json& dropout = field["dropout"].json();
  if (!dropout.is_null() && dropout != 0) field["dropout"].Fail("is set", "tokens would be random");
  if (field["byte_fallback"].Flag(false)) {
    field["byte_fallback"].Fail("is set", "every byte has a character already");
  }
  model.ignore_merges = field["ignore_merges"].Flag(false);
  const Field vocab = field["vocab"];
  if (!vocab.json().is_object()) vocab.Fail("is no object", "it maps tokens to ids");
  for (const auto& [token, id] : vocab.json().items()) {
    std::string bytes = token.empty() ? "" : ReadToken(vocab, token);
    if (!bytes.empty())
      model.vocab[std::move(bytes)] = Field(id, "model.vocab['" + token + "']").Id();
  }
  bool all_bytes = true;
  for (int byte = 0; byte < 256; ++byte) {
    all_bytes = all_bytes && model.vocab.contains(std::string(1, static_cast<char>(byte)));
  }
  if (!all_bytes && !field["unk_token"].is_null()) {
    field["unk_token"].Fail("is set", "some bytes are not in the vocabulary and would become it");
  }
  const Field merges = field["merges"];
  if (!merges.json().is_array()) merges.Fail("is no list", "merges are ordered");
  for (const Json& merge : merges.json()) model.merges.push_back(ReadMerge(merges, merge));
}

void ReadTemplate(const Field& field, TokenizerParts& parts) {
  bool before_text = true;
  for (const Field& item : field["single"].Items()) {
    if (item.json().is_object() && item.json().contains("Sequence")) {
      before_text = false;
      continue;
    }
    const std::string name = item["SpecialToken"]["id"].Text();
    for (const Field& id : field["special_tokens"][name]["ids"].Items()) {
      (before_text ? parts.prefix : parts.suffix).push_back(id.Id());
    }
  }
}

void ReadPostProcessor(const Field& field, TokenizerParts& parts) {
  const std::string type = field.Type();
  if (type.empty() || type == "ByteLevel") return;
  if (type == "Sequence") {
    for (const Field& item : field["processors"].Items()) ReadPostProcessor(item, parts);
  } else if (type == "TemplateProcessing") {
    ReadTemplate(field, parts);
  } else {
    field.FailType();
  }
}

void ReadAddedTokens(const Field& field, TokenizerParts& parts) {
  if (field.is_null()) return;
  for (const Field& item : field.Items()) {
    item.OnlyKeys({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    AddedToken token{.id = item["id"].Id(),
                     .content = item["content"].Text(),
                     .single_word = item["single_word"].Flag(false),
                     .lstrip = item["lstrip"].Flag(false),
                     .rstrip = item["rstrip"].Flag(false)};
    if (token.content.empty()) continue;  // Never found, as in the original.
    const bool normalized = item["normalized"].Flag(true);
    if (normalized && parts.nfc && !IsAscii(token.content)) {
      item.Fail("is normalized and not ASCII", "its normalized form is not supported");
    }
    (normalized ? parts.added_normalized : parts.added).push_back(std::move(token));
  }
}

void CheckDecoder(const Field& field) {
  if (field.Type() != "ByteLevel") {
    field.Fail(field.is_null() ? "is missing" : "type '" + field.Type() + "' is not supported",
               "byte-level BPE is decoded by ByteLevel");
  }
}

}  // namespace

TokenizerParts ParseTokenizer(std::string_view json, const std::string& source) {
  const Json document = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) {
    throw core::ModelError({.what = source + " cannot be read",
                            .why = "it is no JSON object",
                            .fix = "obtain the model's folder again: the file is damaged"});
  }
  const Field root(document, source);
  root.OnlyKeys({"version",
                 "truncation",
                 "padding",
                 "added_tokens",
                 "normalizer",
                 "pre_tokenizer",
                 "post_processor",
                 "decoder",
                 "model"});
  for (const char* key : {"truncation", "padding"}) {
    if (!root[key].is_null()) root[key].Fail("is set", "londi neither truncates nor pads texts");
  }
  TokenizerParts parts;
  ReadNormalizer(root["normalizer"], parts);
  ReadAddedTokens(root["added_tokens"], parts);
  ReadPreTokenizer(root["pre_tokenizer"], parts);
  ReadModel(root["model"], parts.model);
  ReadPostProcessor(root["post_processor"], parts);
  CheckDecoder(root["decoder"]);
  return parts;
}

std::string ReadTokenizerText(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "tokenizer.json";
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw core::ModelError({.what = "no tokenizer in " + folder.string(),
                            .why = path.string() + " cannot be opened",
                            .fix = "name a Hugging Face folder: config.json, tokenizer.json, "
                                   "model.safetensors"});
  }
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TokenizerParts ReadTokenizer(const std::filesystem::path& folder) {
  return ParseTokenizer(ReadTokenizerText(folder), (folder / "tokenizer.json").string());
}

}  // namespace londi::inference
