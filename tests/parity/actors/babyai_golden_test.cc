// Replays the traces that tests/golden/babyai/generate.py recorded from Minigrid 3.2.0: grid,
// image, pose, text, reward and flags of every step must be equal.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/envs/babyai/babyai_environment.h"
#include "actors/envs/babyai/levels.h"
#include "actors/envs/babyai/rng.h"

namespace londi::actors::babyai {
namespace {

using Json = nlohmann::json;

std::string GoldenPath(const std::string& file) {
  return std::string(LONDI_GOLDEN_BABYAI) + "/" + file;
}

std::uint32_t Crc32(std::string_view text) {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1U) != 0 ? 0xedb88320U ^ (c >> 1) : c >> 1;
      t[i] = c;
    }
    return t;
  }();
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : text) {
    crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (crc >> 8);
  }
  return crc ^ 0xffffffffU;
}

void AppendHex(std::string& out, std::uint8_t byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

void AppendHex(std::string& out, Cell cell) {
  AppendHex(out, static_cast<std::uint8_t>(cell.type));
  AppendHex(out, static_cast<std::uint8_t>(cell.color));
  AppendHex(out, cell.state);
}

std::string DoubleHex(double value) {
  std::string out;
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) {
    AppendHex(out, static_cast<std::uint8_t>(bits >> shift));
  }
  return out;
}

// The two halves of the generator's state_line: map and image; what a person can read.
struct StateLine {
  std::string map;
  std::string readable;
};

StateLine MakeLine(const BabyAiEnvironment& environment, const core::StepResult& result) {
  const World& world = environment.world();
  StateLine line;
  for (int x = 0; x < world.grid.width(); ++x) {
    for (int y = 0; y < world.grid.height(); ++y) AppendHex(line.map, world.grid.CellAt({x, y}));
  }
  line.map += ' ';
  for (const Cell cell : environment.view().cells) AppendHex(line.map, cell);

  line.readable = " " + std::to_string(world.agent.x) + " " + std::to_string(world.agent.y) + " " +
                  std::to_string(static_cast<int>(world.direction)) + " " +
                  DoubleHex(result.reward) + (result.terminated ? " 1" : " 0") +
                  (result.truncated ? " 1 " : " 0 ");
  const std::vector<std::string>& sentences = result.observation.sentences;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    line.readable += (i > 0 ? "|" : "") + sentences[i];
  }
  return line;
}

// Compares one state; false stops the episode, whose later states would differ, too.
bool SameState(const Json& golden, std::size_t step, const StateLine& ours) {
  const std::uint32_t expected = static_cast<std::uint32_t>(
      std::stoul(golden["digests"].get_ref<const std::string&>().substr(8 * step, 8), nullptr, 16));
  if (Crc32(ours.map + ours.readable) == expected) return true;
  const std::string theirs = golden.contains("texts")
                                 ? golden["texts"][step].get<std::string>()
                                 : "(only the digest is stored; raise NUM_SEEDS_WITH_TEXT)";
  ADD_FAILURE() << golden["level"] << " seed " << golden["seed"] << " policy " << golden["policy"]
                << " step " << step << "\n  minigrid:" << theirs << "\n  londi:   " << ours.readable
                << "\n  our map and image: " << ours.map;
  return false;
}

// Returns the number of states compared.
std::size_t Replay(const Json& golden) {
  LevelOptions options;
  if (golden["options"].contains("num_distractors")) {
    options.num_distractors = golden["options"]["num_distractors"].get<int>();
  }
  BabyAiEnvironment environment(FindLevel(golden["level"].get<std::string>(), options).value(),
                                {.view_size = golden["options"].value("view_size", 7)});
  core::StepResult result;
  result.observation = environment.Reset(golden["seed"].get<std::uint64_t>());
  EXPECT_EQ(environment.mission_text(), golden["mission"].get<std::string>());
  EXPECT_EQ(environment.MaxSteps(), golden["max_steps"].get<int>());
  if (!SameState(golden, 0, MakeLine(environment, result))) return 0;

  const std::string actions = golden["actions"].get<std::string>();
  for (std::size_t step = 0; step < actions.size(); ++step) {
    result = environment.Step(static_cast<Action>(actions[step] - '0'));
    if (!SameState(golden, step + 1, MakeLine(environment, result))) return step;
    EXPECT_EQ(result.done() && step + 1 < actions.size(), false) << "the episode ended early";
  }
  return actions.size() + 1;
}

class BabyAiGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(BabyAiGolden, EveryStateEqualsMinigrids) {
  std::ifstream file(GoldenPath(GetParam() + ".jsonl"));
  ASSERT_TRUE(file) << "missing golden file";

  std::size_t num_states = 0;
  int num_episodes = 0;
  for (std::string line; std::getline(file, line); ++num_episodes) {
    num_states += Replay(Json::parse(line));
  }

  EXPECT_EQ(num_episodes, 150);  // 50 seeds x {random, vandal, bot}.
  EXPECT_GT(num_states, 1000U);
}

INSTANTIATE_TEST_SUITE_P(Levels,
                         BabyAiGolden,
                         ::testing::Values("GoToRedBallGrey",
                                           "GoToRedBall",
                                           "GoToObj",
                                           "GoToLocal",
                                           "GoToLocalS5N2",
                                           "PickupLoc",
                                           "PutNextLocal",
                                           "PutNextLocalS5N3",
                                           "UnlockLocal",
                                           "UnlockLocalDist",
                                           "OpenRedDoor",
                                           "OpenDoor",
                                           "OpenDoorDebug",
                                           "OpenDoorLoc",
                                           "OpenRedBlueDoorsDebug",
                                           "OpenDoorsOrderN4",
                                           "OpenDoorsOrderN4Debug",
                                           "ActionObjDoor",
                                           "GoToLocalView5",
                                           "OpenDoorView9",
                                           "MixedTrain0",
                                           "MixedTrain8",
                                           "MixedTest0",
                                           "MixedTest8"),
                         [](const auto& info) { return info.param; });

TEST(NumpyRng, DrawsWhatNumpyDraws) {
  std::ifstream file(GoldenPath("rng.json"));
  ASSERT_TRUE(file) << "missing golden file";

  for (const Json& golden : Json::parse(file)) {
    const Json& entropy = golden["entropy"];
    const auto seed = entropy[0].get<std::uint64_t>();
    NumpyRng rng =
        entropy.size() == 1 ? NumpyRng(seed) : NumpyRng(seed, entropy[1].get<std::uint32_t>());
    for (const Json& draw : golden["draws"]) {
      if (draw[0].is_string()) {
        ASSERT_EQ(DoubleHex(rng.Uniform(0, 1)), draw[1].get<std::string>()) << "seed " << seed;
      } else {
        const auto low = draw[0].get<std::int64_t>();
        const auto high = draw[1].get<std::int64_t>();
        ASSERT_EQ(rng.Integers(low, high), draw[2].get<std::int64_t>()) << "seed " << seed;
      }
    }
  }
}

}  // namespace
}  // namespace londi::actors::babyai
