// Our byte-level BPE against the `tokenizers` package (generate_tokenizers.py).
#include <gtest/gtest.h>

#include <random>

#include "inference/tokenizers/byte_level.h"
#include "inference/tokenizers/tokenizer_json.h"
#include "tests/parity/inference/golden_models.h"

namespace londi::inference {
namespace {

using testing::ReadJson;

const std::filesystem::path kGolden = std::filesystem::path(LONDI_GOLDEN) / "inference/tokenizers";

std::vector<TokenId> EncodeAll(Tokenizer& tokenizer, std::string_view text) {
  std::vector<TokenId> ids = tokenizer.prefix();
  for (const TokenId id : tokenizer.Encode(text)) ids.push_back(id);
  ids.insert(ids.end(), tokenizer.suffix().begin(), tokenizer.suffix().end());
  return ids;
}

void AppendUtf8(std::uint32_t c, std::string& text) {
  const auto add = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    add(0xE0 | (c >> 12));
    add(0x80 | ((c >> 6) & 0x3F));
  } else {
    add(0xF0 | (c >> 18));
    add(0x80 | ((c >> 12) & 0x3F));
    add(0x80 | ((c >> 6) & 0x3F));
  }
  add(0x80 | (c & 0x3F));
}

class TokenizerGolden : public ::testing::TestWithParam<std::string> {
 protected:
  Tokenizer tokenizer_{ReadTokenizer(kGolden / GetParam())};
  const nlohmann::json expected_ = ReadJson(kGolden / GetParam() / "expected.json");
  const std::vector<std::string> texts_ =
      ReadJson(kGolden / "texts.json").get<std::vector<std::string>>();
};

TEST_P(TokenizerGolden, IdsEqualThePythonPackage) {
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const auto expected = expected_["ids"][i].get<std::vector<TokenId>>();
    EXPECT_EQ(EncodeAll(tokenizer_, texts_[i]), expected) << "text " << i << ": " << texts_[i];
  }
}

// Those whose golden file has digests of all characters.
class TokenizerOfAllCharacters : public TokenizerGolden {};

TEST_P(TokenizerOfAllCharacters, EveryAssignedCharacterEqualsThePythonPackage) {
  const auto runs =
      ReadJson(kGolden / "assigned.json").get<std::vector<std::array<std::uint32_t, 2>>>();
  std::size_t run = 0;

  for (const auto& block : expected_["digests"]) {
    const auto begin = block[0].get<std::uint32_t>();
    std::uint64_t digest = 0xCBF29CE484222325;
    for (std::uint32_t c = begin; c < begin + 4096; ++c) {
      while (run < runs.size() && runs[run][1] <= c) ++run;
      if (run == runs.size() || c < runs[run][0]) continue;
      std::string text = "a";
      AppendUtf8(c, text);
      text += "b ";
      AppendUtf8(c, text);
      text += "1";
      for (const TokenId id : EncodeAll(tokenizer_, text)) {
        digest = (digest ^ static_cast<std::uint64_t>(id + 1)) * 0x100000001B3;
      }
    }
    EXPECT_EQ(digest, std::stoull(block[1].get<std::string>(), nullptr, 16))
        << "code points from " << std::hex << begin;
  }
}

// Growing a text bit by bit, and asking for continuations on the way, gives what encoding it at
// once gives.
TEST_P(TokenizerGolden, GrowingTextsEncodeAsWholeOnes) {
  std::mt19937 random(11);
  for (std::size_t round = 0; round < 300; ++round) {
    std::string text;
    GrowingEncoding growing;
    for (int step = 0; step < 6; ++step) {
      const std::string& more = texts_[random() % texts_.size()];
      std::size_t cut = random() % (std::min<std::size_t>(more.size(), 30) + 1);
      while (cut < more.size() && (static_cast<unsigned char>(more[cut]) & 0xC0) == 0x80) ++cut;
      const std::string continuation = more.substr(0, cut);

      std::vector<TokenId> joint = growing.ids;
      joint.resize(growing.stable_ids);
      for (const TokenId id : tokenizer_.EncodeContinuation(growing, continuation)) {
        joint.push_back(id);
      }
      ASSERT_EQ(joint, tokenizer_.Encode(text + continuation)) << text << "|" << continuation;

      text += continuation;
      tokenizer_.Extend(growing, text);
      ASSERT_EQ(growing.ids, tokenizer_.Encode(text)) << text;
      ASSERT_EQ(growing.text, text);
    }
  }
}

// Those whose first step cuts wherever a line ends or earlier.
class ResumableTokenizer : public TokenizerGolden {};

TEST_P(ResumableTokenizer, OnlyTheLastLinesOfAGrowingTextAreEncodedAgain) {
  const std::string line = "You see 3 red keys, 12 steps ahead.\n";
  GrowingEncoding growing;
  std::string text;
  for (int step = 0; step < 20; ++step) {
    text += line;
    tokenizer_.Extend(growing, text);
    EXPECT_LE(text.size() - growing.stable_bytes, line.size()) << "after step " << step;
  }
  EXPECT_EQ(growing.ids, tokenizer_.Encode(text));
}

// Those that add no spaces, drop no characters and compose none.
class LosslessTokenizer : public TokenizerGolden {};

TEST_P(LosslessTokenizer, DecodingGivesTheTextBack) {
  for (const std::string& text : texts_)
    EXPECT_EQ(tokenizer_.Decode(tokenizer_.Encode(text)), text);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers,
                         TokenizerGolden,
                         ::testing::Values("byte_level",
                                           "byte_level_prefix",
                                           "llama3",
                                           "qwen2",
                                           "digits",
                                           "digit_runs",
                                           "lines",
                                           "behaviours",
                                           "removed_inverted"),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(Tokenizers,
                         TokenizerOfAllCharacters,
                         ::testing::Values("byte_level", "llama3", "qwen2", "digits"),
                         [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(
    Tokenizers,
    ResumableTokenizer,
    ::testing::Values("byte_level", "llama3", "qwen2", "digits", "lines", "behaviours"),
    [](const auto& info) { return info.param; });

INSTANTIATE_TEST_SUITE_P(Tokenizers,
                         LosslessTokenizer,
                         ::testing::Values("byte_level", "llama3", "digits", "lines"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace londi::inference
