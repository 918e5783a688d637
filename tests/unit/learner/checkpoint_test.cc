#include "learner/checkpoint.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "core/no_room.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temp_folder.h"

namespace londi::learner {
namespace {

using testing::TempFolder;

Checkpoint MakeCheckpoint(std::int64_t updates) {
  Checkpoint checkpoint{.updates = updates,
                        .sampled = 512 * updates,
                        .weights = core::WeightsVersion(3'000'017),
                        .random = {1, 2, 3, ~std::uint64_t{0}},
                        .replay = {.end = 100 + updates, .max_leaf = 2.5f, .leaves = {0.5f, 0, 1}},
                        .num_features = 53};
  checkpoint.algorithm.architecture = "dueling_mlp";
  checkpoint.algorithm.arrays = {{"online.a", {2, 3}, {1, 2, 3, 4, 5, 6}},
                                 {"adam.first.a", {1}, {static_cast<float>(updates)}}};
  checkpoint.algorithm.counters = {{"adam_step", updates}};
  checkpoint.watermarks = {{{core::ActorId(4), core::Incarnation(2)}, core::Sequence(99)}};
  checkpoint.segments = {{"segment-000.log", 0, 77}};
  checkpoint.config = {"learner.gamma = 0.99", "seed = 1"};
  return checkpoint;
}

class CheckpointStoreTest : public ::testing::Test {
 protected:
  CheckpointStore MakeStore(int keep = 3) {
    return {folder_.path(), keep, monitor::MakeNullLogger()};
  }
  std::filesystem::path File(std::int64_t updates, const std::string& name) const {
    std::string number = std::to_string(updates);
    number.insert(0, 12 - number.size(), '0');
    return folder_ / ("checkpoint-" + number + "/" + name);
  }
  static void Cut(const std::filesystem::path& file, std::uintmax_t size) {
    std::filesystem::resize_file(file, size);
  }
  static std::string Read(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  static void FlipLastByte(const std::filesystem::path& file) {
    std::string bytes = Read(file);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    std::ofstream(file, std::ios::binary) << bytes;
  }
  static void Replace(const std::filesystem::path& file,
                      const std::string& from,
                      const std::string& to) {
    std::string text = Read(file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << text;
    std::ofstream(file, std::ios::binary) << text.replace(at, from.size(), to);
  }

  TempFolder folder_;
};

TEST_F(CheckpointStoreTest, GivesBackAllOfATraining) {
  MakeStore().Write(MakeCheckpoint(42));

  const auto read = MakeStore().ReadLatest();

  ASSERT_TRUE(read.has_value());
  const Checkpoint expected = MakeCheckpoint(42);
  EXPECT_EQ(read->updates, 42);
  EXPECT_EQ(read->sampled, expected.sampled);
  EXPECT_EQ(read->weights, expected.weights);
  EXPECT_EQ(read->random, expected.random);
  EXPECT_EQ(read->replay.end, expected.replay.end);
  EXPECT_EQ(read->replay.max_leaf, expected.replay.max_leaf);
  EXPECT_EQ(read->replay.leaves, expected.replay.leaves);
  EXPECT_EQ(read->num_features, 53);
  EXPECT_EQ(read->algorithm.architecture, "dueling_mlp");
  EXPECT_EQ(read->algorithm.counters, expected.algorithm.counters);
  ASSERT_EQ(read->algorithm.arrays.size(), 2u);
  for (const core::NamedArray& array : read->algorithm.arrays) {
    const bool is_online = array.name == "online.a";
    const core::NamedArray& original = expected.algorithm.arrays[is_online ? 0 : 1];
    EXPECT_EQ(array.name, original.name);
    EXPECT_EQ(array.shape, original.shape);
    EXPECT_EQ(array.values, original.values);
  }
  EXPECT_EQ(read->watermarks, expected.watermarks);
  ASSERT_EQ(read->segments.size(), 1u);
  EXPECT_EQ(read->segments[0].rows, 77);
  EXPECT_EQ(read->config, expected.config);
}

// A run ended with "filesystem error: cannot remove: Not a directory", which is no error that says
// what to do. Whether the folder goes in time is the scheduler's choice: most rounds on an idle
// machine, one of fifty on a busy one.
TEST_F(CheckpointStoreTest, AFolderThatIsReplacedAfterItsCheckpointIsAnIoError) {
  int refused = 0;
  for (int round = 0; refused < 3; ++round) {
    ASSERT_LT(round, 5000);
    const std::filesystem::path folder = folder_ / std::to_string(round);
    CheckpointStore store(folder, /*keep=*/1, monitor::MakeNullLogger());
    std::jthread enemy([&] {
      while (!std::filesystem::exists(folder / "LATEST")) std::this_thread::yield();
      std::filesystem::rename(folder, folder.string() + "-away");
      std::ofstream(folder) << "in the way";
    });

    try {
      store.Write(MakeCheckpoint(round));
    } catch (const core::IoError& error) {
      EXPECT_NE(error.text().what.find(folder.string()), std::string::npos) << error.what();
      EXPECT_FALSE(error.text().fix.empty());
      ++refused;
    }
  }
}

TEST_F(CheckpointStoreTest, ThereIsNoneInANewFolder) {
  EXPECT_FALSE(MakeStore().ReadLatest().has_value());
  EXPECT_FALSE(MakeStore().OldestRowNeeded().has_value());
}

TEST_F(CheckpointStoreTest, ATornOneFallsBackToTheOneBefore) {
  const std::vector<std::function<void()>> damages = {
      [&] { Cut(File(2, "arrays.safetensors"), 40); },
      [&] { Cut(File(2, "arrays.safetensors"), 0); },
      [&] { FlipLastByte(File(2, "arrays.safetensors")); },  // Only the checksum notices.
      [&] { Cut(File(2, "state.json"), 100); },
      [&] { Replace(File(2, "state.json"), "\"sampled\": 1024", "\"sampled\": 1025"); },
      [&] { std::filesystem::remove(File(2, "state.json")); },
      [&] { std::filesystem::remove(File(2, "arrays.safetensors")); },
  };
  for (std::size_t i = 0; i < damages.size(); ++i) {
    CheckpointStore store = MakeStore();
    store.Write(MakeCheckpoint(1));
    store.Write(MakeCheckpoint(2));
    damages[i]();

    const auto read = store.ReadLatest();

    ASSERT_TRUE(read.has_value()) << i;
    EXPECT_EQ(read->updates, 1) << i;
  }
}

TEST_F(CheckpointStoreTest, OneThatWasNeverFinishedIsNotThere) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(1));
  std::filesystem::create_directory(folder_ / "checkpoint-000000000002.tmp");
  std::ofstream(folder_ / "checkpoint-000000000002.tmp/state.json") << "{";

  EXPECT_EQ(store.ReadLatest()->updates, 1);
  store.Write(MakeCheckpoint(2));  // Takes its place.
  EXPECT_EQ(store.ReadLatest()->updates, 2);
}

// A restarted learner that was restored from update 7 and is stopped at once writes 7 again.
TEST_F(CheckpointStoreTest, AKillWhileOneIsReplacedLostTheOnlyCheckpoint) {
  std::filesystem::path aside = File(7, "").parent_path();
  aside += ".old";
  MakeStore().Write(MakeCheckpoint(7));

  // Killed after the old one stepped aside.
  std::filesystem::rename(File(7, "").parent_path(), aside);
  std::filesystem::create_directory(folder_ / "checkpoint-000000000007.tmp");
  ASSERT_TRUE(MakeStore().ReadLatest().has_value());
  EXPECT_EQ(MakeStore().ReadLatest()->updates, 7);
  EXPECT_EQ(MakeStore().OldestRowNeeded(), 104);

  // Killed after the new one took its place.
  Checkpoint again = MakeCheckpoint(7);
  again.sampled = 1;
  MakeStore().Write(again);
  std::filesystem::copy(File(7, "").parent_path(), aside);
  Cut(aside / "state.json", 3);
  EXPECT_EQ(MakeStore().ReadLatest()->sampled, 1);

  MakeStore().Write(again);
  EXPECT_FALSE(std::filesystem::exists(aside));
}

// What happened to the names in `folder` while `act` ran, as "created x", "deleted x"; a rename is
// both.
std::vector<std::string> NamesChangedBy(const std::function<void()>& act,
                                        const std::filesystem::path& folder) {
  const int watch = inotify_init1(IN_NONBLOCK);
  inotify_add_watch(watch, folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM);
  act();
  std::vector<std::string> changes;
  alignas(inotify_event) char buffer[16 * 1024];
  for (ssize_t size; (size = read(watch, buffer, sizeof buffer)) > 0;) {
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
      const bool created = (event->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
      changes.push_back((created ? "created " : "deleted ") + std::string(event->name));
      at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
    }
  }
  close(watch);
  return changes;
}

TEST_F(CheckpointStoreTest, AReplacedOneIsDeletedOnlyAfterItsSuccessorIsThere) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(7));

  const auto changes = NamesChangedBy([&] { store.Write(MakeCheckpoint(7)); }, folder_.path());

  const std::string name = "checkpoint-000000000007";
  EXPECT_EQ(changes,
            (std::vector<std::string>{"created " + name + ".tmp",
                                      "deleted " + name,
                                      "created " + name + ".old",
                                      "deleted " + name + ".tmp",
                                      "created " + name,
                                      "created LATEST.tmp",
                                      "deleted LATEST.tmp",
                                      "created LATEST",
                                      "deleted " + name + ".old"}));
}

TEST_F(CheckpointStoreTest, OneThatTheDiskHasNoRoomForLeavesNothingButTheOneBefore) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(1));
  const auto arrays = std::filesystem::file_size(File(1, "arrays.safetensors"));
  ASSERT_LT(arrays, std::filesystem::file_size(File(1, "state.json")));

  // Neither fits; the arrays fit, the state does not.
  for (const std::uintmax_t limit_bytes : {std::uintmax_t{100}, arrays}) {
    {
      const testing::FileSizeLimit limit(limit_bytes);
      EXPECT_THROW(store.Write(MakeCheckpoint(2)), core::NoRoomError);
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 2)
        << "a checkpoint and LATEST";
    EXPECT_EQ(store.ReadLatest()->updates, 1);
  }
  store.Write(MakeCheckpoint(2));
  EXPECT_EQ(store.ReadLatest()->updates, 2);
}

TEST_F(CheckpointStoreTest, WhatKillsLeftOverIsCleanedUp) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(7));
  std::filesystem::create_directory(folder_ / "checkpoint-000000000005.tmp");
  std::filesystem::create_directory(folder_ / "checkpoint-000000000007.old");

  store.Write(MakeCheckpoint(8));

  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 3)
      << "two checkpoints and LATEST";
}

TEST_F(CheckpointStoreTest, TellsWhatThereIsAndWhatIsTorn) {
  EXPECT_TRUE(InspectCheckpoints(folder_ / "nowhere").empty());
  CheckpointStore store = MakeStore();
  for (const std::int64_t updates : {1, 2}) store.Write(MakeCheckpoint(updates));
  FlipLastByte(File(2, "arrays.safetensors"));

  const auto summaries = InspectCheckpoints(folder_.path());

  ASSERT_EQ(summaries.size(), 2u);
  EXPECT_NE(summaries[0].problem.find("checksum"), std::string::npos) << summaries[0].problem;
  EXPECT_EQ(summaries[0].folder.filename(), "checkpoint-000000000002");
  EXPECT_EQ(summaries[1].problem, "");
  EXPECT_EQ(summaries[1].updates, 1);
  EXPECT_EQ(summaries[1].weights, core::WeightsVersion(3'000'017));
  EXPECT_EQ(summaries[1].architecture, "dueling_mlp");
  EXPECT_EQ(summaries[1].parameters, 7);
  EXPECT_EQ(summaries[1].replay_rows, 3);
  EXPECT_EQ(summaries[1].replay_end, 101);
  EXPECT_EQ(summaries[1].bytes,
            std::filesystem::file_size(File(1, "state.json")) +
                std::filesystem::file_size(File(1, "arrays.safetensors")));
  EXPECT_EQ(summaries[1].config, MakeCheckpoint(1).config);
}

TEST_F(CheckpointStoreTest, SaysSoWhenNoneCanBeRead) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(1));
  Cut(File(1, "state.json"), 10);

  EXPECT_THROW(store.ReadLatest(), core::ModelError);
}

TEST_F(CheckpointStoreTest, KeepsTheNewestAndNamesTheLatest) {
  CheckpointStore store = MakeStore(2);
  for (const std::int64_t updates : {5, 900, 10'000}) store.Write(MakeCheckpoint(updates));

  EXPECT_FALSE(std::filesystem::exists(File(5, "")));
  EXPECT_TRUE(std::filesystem::exists(File(900, "state.json")));
  std::string latest;
  std::ifstream(folder_ / "LATEST") >> latest;
  EXPECT_EQ(latest, "checkpoint-000000010000");
  EXPECT_EQ(store.ReadLatest()->updates, 10'000);
}

TEST_F(CheckpointStoreTest, TellsWhichRowsAreStillNeeded) {
  CheckpointStore store = MakeStore();
  store.Write(MakeCheckpoint(10));  // Rows 107 .. 110.
  store.Write(MakeCheckpoint(20));

  EXPECT_EQ(store.OldestRowNeeded(), 107);
  Cut(File(10, "state.json"), 10);
  EXPECT_EQ(store.OldestRowNeeded(), 117);
}

TEST_F(CheckpointStoreTest, SaysSoWhenTheFolderCannotBeMade) {
  std::ofstream(folder_ / "file") << "x";

  EXPECT_THROW(CheckpointStore(folder_ / "file/checkpoints", 3, monitor::MakeNullLogger()),
               core::IoError);
}

TEST_F(CheckpointStoreTest, SaysSoWhenItsFolderWasReplacedByAFile) {
  CheckpointStore store(folder_ / "checkpoints", 3, monitor::MakeNullLogger());
  std::filesystem::remove(folder_ / "checkpoints");
  std::ofstream(folder_ / "checkpoints") << "in the way";

  EXPECT_THROW(store.Write(MakeCheckpoint(1)), core::IoError);
}

TEST(ConfigDifferences, NamesWhatChangedCameAndWent) {
  const std::vector<std::string> before = {"a = 1", "b = x = y", "c = 3"};
  const std::vector<std::string> now = {"b = x = z", "c = 3", "d = 4"};

  EXPECT_EQ(
      ConfigDifferences(before, now),
      (std::vector<std::string>{"a: 1 -> (absent)", "b: x = y -> x = z", "d: (absent) -> 4"}));
  EXPECT_TRUE(ConfigDifferences(now, now).empty());
}

}  // namespace
}  // namespace londi::learner
