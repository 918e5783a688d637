#include "learner/finetune/bpe_trainer.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "inference/tokenizers/tokenizer_json.h"

namespace londi::learner {
namespace {

inference::Tokenizer Trained(const std::vector<std::string>& texts,
                             const TokenizerOptions& options) {
  return inference::Tokenizer(inference::ParseTokenizer(TrainTokenizer(texts, options), "test"));
}

std::vector<std::string> Pieces(inference::Tokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> pieces;
  for (const inference::TokenId id : tokenizer.Encode(text))
    pieces.push_back(tokenizer.Decode({id}));
  return pieces;
}

TEST(BpeTrainer, MergesTheMostFrequentNeighboursFirst) {
  // a-b occurs three times, b-c twice: with one merge, "ab" it is.
  auto tokenizer = Trained({"abc", "abc", "ab"}, {.vocab_size = 257, .split_after = ""});

  EXPECT_EQ(Pieces(tokenizer, "abc"), (std::vector<std::string>{"ab", "c"}));
}

TEST(BpeTrainer, MakesFrequentPhrasesOneTokenAcrossSpaces) {
  const std::vector<std::string> texts(3, "You see a ball,You see a key,\n");

  auto tokenizer = Trained(texts, {.vocab_size = 400});

  EXPECT_EQ(Pieces(tokenizer, "You see a ball,You see a key,\n"),
            (std::vector<std::string>{"You see a ball,", "You see a key,", "\n"}));
}

TEST(BpeTrainer, NoTokenReachesAcrossASplit) {
  const std::vector<std::string> texts(5, " ball 2 steps left and 3 steps forward,");

  auto tokenizer = Trained(texts, {.vocab_size = 600, .split_before = "(?<!and) (?=[0-9])"});

  EXPECT_EQ(Pieces(tokenizer, texts[0]),
            (std::vector<std::string>{" ball", " 2 steps left and 3 steps forward,"}));
}

TEST(BpeTrainer, StopsWhereNoPairOccursTwice) {
  auto tokenizer = Trained({"abcdefg"}, {.vocab_size = 1000});

  EXPECT_EQ(tokenizer.largest_id(), 255);
}

TEST(BpeTrainer, EveryTextIsItselfAgainWhenDecoded) {
  auto tokenizer = Trained({"go go go", "\xC3\xBC\xC3\xBC"}, {.vocab_size = 300});
  const std::string text = "go, \xC3\xBC and \xE2\x82\xAC: what was never seen\n";

  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text)), text);
}

TEST(BpeTrainer, TheSameTextsGiveTheSameTokenizer) {
  const std::vector<std::string> texts = {"left right left", "right left"};

  EXPECT_EQ(TrainTokenizer(texts, {.vocab_size = 280}), TrainTokenizer(texts, {.vocab_size = 280}));
}

TEST(BpeTrainer, RefusesAVocabularyWithoutRoomForTheBytes) {
  EXPECT_THROW(static_cast<void>(TrainTokenizer({"a"}, {.vocab_size = 255})), core::ConfigError);
}

TEST(BpeTrainer, RefusesASplitThatIsNoRegularExpression) {
  EXPECT_THROW(static_cast<void>(TrainTokenizer({"a"}, {.split_after = "["})), core::ModelError);
}

}  // namespace
}  // namespace londi::learner
