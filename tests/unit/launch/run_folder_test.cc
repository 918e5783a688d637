#include "launch/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <thread>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::launch {
namespace {

using ::testing::HasSubstr;

TEST(RunFolder, TwoRunsOfOneSecondGetTwoFolders) {
  testing::TempFolder temp;

  const RunFolder first = CreateRunFolder(temp / "runs", "test");
  const RunFolder second = CreateRunFolder(temp / "runs", "test");

  EXPECT_NE(first.path, second.path);
  EXPECT_TRUE(std::filesystem::is_directory(second.transitions()));
}

TEST(RunFolder, AFolderThatCannotBeMadeIsNamed) {
  testing::TempFolder temp;
  std::ofstream(temp / "file") << "in the way";

  try {
    CreateRunFolder(temp / "file", "test");
    FAIL() << "expected core::IoError";
  } catch (const core::IoError& error) {
    EXPECT_THAT(error.what(), HasSubstr((temp / "file").string()));
    EXPECT_THAT(error.text().fix, HasSubstr("run.folder"));
  }
}

TEST(RunFolder, OnlyAFolderWithAConfigurationIsARun) {
  testing::TempFolder temp;

  EXPECT_THROW(OpenRunFolder(temp.path()), core::IoError);
  std::ofstream(temp / "config.yaml") << "run: {}";
  EXPECT_EQ(OpenRunFolder(temp.path()).path, temp.path());
}

TEST(FindRun, TakesTheFolderItselfOrTheNewestRunInIt) {
  testing::TempFolder temp;
  EXPECT_FALSE(FindRun(temp / "nowhere"));
  for (const char* run : {"run-1", "run-2", "run-3"})
    std::filesystem::create_directories(temp / "runs" / run);
  EXPECT_FALSE(FindRun(temp / "runs"));
  for (const char* run : {"run-2", "run-1"})
    std::ofstream(temp / "runs" / run / "config.yaml") << "run: {seed: 1}";

  EXPECT_EQ(FindRun(temp / "runs")->path, temp / "runs" / "run-2");
  EXPECT_EQ(FindRun(temp / "runs" / "run-1")->path, temp / "runs" / "run-1");
}

TEST(RunFolder, IsDrivenByOneProcessAtATime) {
  testing::TempFolder temp;
  const RunFolder run = CreateRunFolder(temp.path(), "test");

  auto lock = std::make_unique<RunLock>(run);
  EXPECT_THROW(RunLock second(run), core::IoError);
  lock.reset();
  EXPECT_NO_THROW(RunLock third(run));
}

// How often this process has `file` open.
int NumOpen(const std::filesystem::path& file) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;  // The iterator's own is gone by now.
    count += std::filesystem::read_symlink(entry.path(), error) == file ? 1 : 0;
  }
  return count;
}

// A study that was killed and started again at once found its own run in use: what it had started
// was still dying.
TEST(RunFolder, ALockWhoseHolderIsAboutToEndIsWaitedFor) {
  testing::TempFolder temp;
  const RunFolder run = CreateRunFolder(temp.path(), "test");
  auto lock = std::make_unique<RunLock>(run);
  std::thread holder([&] {
    while (NumOpen(run.lock()) < 2) std::this_thread::yield();
    lock.reset();
  });

  EXPECT_NO_THROW(RunLock next(run));

  holder.join();
}

TEST(RunFolder, FilesAreReplacedWhole) {
  testing::TempFolder temp;
  WriteFileAtomically(temp / "a", "one");
  WriteFileAtomically(temp / "a", "two");

  std::ifstream in(temp / "a");
  std::string text;
  in >> text;
  EXPECT_EQ(text, "two");
  EXPECT_THROW(WriteFileAtomically(temp / "none" / "a", "x"), core::IoError);
}

}  // namespace
}  // namespace londi::launch
