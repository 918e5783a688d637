#include "inference/content_hash.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::inference {
namespace {

std::uint64_t Hash(std::string_view text, std::uint64_t seed = 0) {
  return ContentHash(std::as_bytes(std::span(text)), seed);
}

// Computed with xxHash's own library.
TEST(ContentHash, IsXxh64) {
  EXPECT_EQ(Hash(""), 0xef46db3751d8e999u);
  EXPECT_EQ(Hash("a"), 0xd24ec4f1a98c6e5bu);
  EXPECT_EQ(Hash("abc"), 0x44bc2cf5ad770999u);
  EXPECT_EQ(Hash("xxhash"), 0x32dd38952c4bc720u);
  EXPECT_EQ(Hash("xxhash", 20141025), 0xb559b98d844e0635u);
  EXPECT_EQ(Hash("Nobody inspects the spammish repetition"), 0xfbcea83c8a378bf1u);
}

class HashModelFolderTest : public ::testing::Test {
 protected:
  void Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  void WriteModel() {
    Write("config.json", "{}");
    Write("tokenizer.json", "[]");
    Write("model-00001-of-00002.safetensors", "one");
    Write("model-00002-of-00002.safetensors", "two");
  }

  testing::TempFolder folder_;
};

TEST_F(HashModelFolderTest, IsSixteenHexDigitsThatFollowEveryFileThatMatters) {
  WriteModel();
  std::set<core::ModelHash> hashes = {HashModelFolder(folder_.path())};
  for (const char* file : {"config.json", "tokenizer.json", "model-00002-of-00002.safetensors"}) {
    WriteModel();
    Write(file, "another");
    hashes.insert(HashModelFolder(folder_.path()));
  }

  EXPECT_EQ(hashes.size(), 4u);
  for (const core::ModelHash& hash : hashes) {
    EXPECT_EQ(hash.size(), 16u);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST_F(HashModelFolderTest, OtherFilesDoNotMatter) {
  WriteModel();
  const core::ModelHash before = HashModelFolder(folder_.path());
  Write("README.md", "a model");

  EXPECT_EQ(HashModelFolder(folder_.path()), before);
}

TEST_F(HashModelFolderTest, SaysWhichFileIsMissing) {
  Write("config.json", "{}");

  try {
    HashModelFolder(folder_.path());
    ADD_FAILURE();
  } catch (const core::ModelError& error) {
    EXPECT_NE(error.text().what.find("tokenizer.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace londi::inference
