#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "inference/tokenizers/tokenizer.h"

namespace londi::inference {

// Reads DIR/tokenizer.json of a byte-level BPE. Supported:
//   added_tokens   all flags
//   normalizer     null, NFC, Sequence of them
//   pre_tokenizer  Sequence of Split (all behaviours) and Digits, with one ByteLevel at its end
//   model          BPE; merges as "a b" or ["a", "b"]; ignore_merges
//   post_processor null, ByteLevel, TemplateProcessing, Sequence of them
//   decoder        ByteLevel
// Anything else: core::ModelError naming the field. A missing or damaged file, too.
TokenizerParts ReadTokenizer(const std::filesystem::path& folder);

// The text of DIR/tokenizer.json. Throws core::ModelError where there is none.
std::string ReadTokenizerText(const std::filesystem::path& folder);

// As ReadTokenizer, of the text of a tokenizer.json; `source` names it in errors.
TokenizerParts ParseTokenizer(std::string_view json, const std::string& source);

}  // namespace londi::inference
