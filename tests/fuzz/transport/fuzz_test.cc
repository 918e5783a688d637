// The fuzz targets without a fuzzer: the kept corpus, and seeded damage.
#include <gtest/gtest.h>
#include <malloc.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "tests/fuzz/transport/fuzz_targets.h"
#include "transport/codec.h"

namespace londi::fuzz {

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

class Fuzz : public ::testing::TestWithParam<Target> {
 protected:
  // File name (or "seed N") and bytes.
  static std::vector<std::pair<std::string, std::string>> Corpus() {
    std::vector<std::pair<std::string, std::string>> corpus;
    for (const std::string& seed : GetParam().seeds) {
      corpus.emplace_back("seed " + std::to_string(corpus.size()), seed);
    }
    const std::filesystem::path folder = std::filesystem::path(LONDI_FUZZ_CORPUS) / GetParam().name;
    for (const auto& file : std::filesystem::directory_iterator(folder)) {
      std::ifstream in(file.path(), std::ios::binary);
      corpus.emplace_back(file.path().filename(),
                          std::string{std::istreambuf_iterator<char>(in), {}});
    }
    std::sort(corpus.begin(), corpus.end());  // Folders have no order of their own.
    return corpus;
  }
};

INSTANTIATE_TEST_SUITE_P(Sockets, Fuzz, ::testing::ValuesIn(Targets()), [](const auto& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
});

TEST_P(Fuzz, TheCorpusHurtsNobody) {
  const auto corpus = Corpus();
  EXPECT_GT(corpus.size(), GetParam().seeds.size()) << "nothing in tests/fuzz/corpus";
  for (const auto& [name, bytes] : corpus) {
    EXPECT_NO_THROW(RunTarget(GetParam().name, bytes)) << name;
  }
}

using Random = std::mt19937;

// Bytes that begin something huge, deep or odd in MessagePack.
std::string BigHeader(Random& random) {
  return {static_cast<char>(0xc0 + random() % 32),
          static_cast<char>(random() % 2 == 0 ? 0xff : random()),
          static_cast<char>(random() % 2 == 0 ? 0xff : random()),
          static_cast<char>(random()),
          static_cast<char>(random())};
}

void DamageOnce(std::string& message, const std::string& other, Random& random) {
  const std::size_t at = message.empty() ? 0 : random() % message.size();
  switch (random() % 8) {
    case 0:
      message.replace(at, 1, 1, static_cast<char>(random()));
      break;
    case 1:
      message.erase(at, 1 + random() % 8);
      break;
    case 2:
      message.insert(at, 1 + random() % 8, static_cast<char>(random()));
      break;
    case 3:
      message.replace(at, 1, BigHeader(random));
      break;
    case 4:  // Lists of lists of lists.
      message.insert(at, 1 + random() % 64, '\x91');
      break;
    case 5:  // A piece of another message, or of this one.
      message.replace(at, random() % 16, other, random() % other.size(), random() % 64);
      break;
    case 6:
      message.resize(at);
      break;
    default:  // One bit.
      if (!message.empty()) message[at] = static_cast<char>(message[at] ^ (1 << random() % 8));
  }
}

// Bytes in use; 0 where a sanitizer has its own allocator (and finds leaks itself).
std::size_t BytesInUse() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_P(Fuzz, AHundredThousandDamagedFramesHurtNobodyAndLeaveNoMemoryBehind) {
  constexpr int kFrames = 100'000;
  const auto corpus = Corpus();
  Random random(20'261'124);
  std::string message;
  std::size_t before = 0;

  for (int i = 0; i < kFrames; ++i) {
    message = corpus[random() % corpus.size()].second;
    const std::string& other = corpus[random() % corpus.size()].second;
    for (unsigned edits = 1 + random() % 6; edits > 0 && !other.empty(); --edits) {
      DamageOnce(message, other, random);
    }
    if (i == kFrames / 10) before = BytesInUse();  // Everything is allocated that is kept.
    ASSERT_NO_THROW(RunTarget(GetParam().name, message)) << "frame " << i;
  }

  EXPECT_LE(BytesInUse(), before + (64 << 10));
}

}  // namespace
}  // namespace londi::fuzz
