#include "transport/rendezvous.h"

#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "core/error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/transport_support.h"

namespace londi::transport {
namespace {

TEST(Rendezvous, IsReadAsWritten) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "run/rendezvous.json";
  EXPECT_FALSE(ReadRendezvous(file));

  WriteRendezvous(file, {"tcp://127.0.0.1:99", core::RunId(5), core::Epoch(2)});
  const auto read = ReadRendezvous(file);

  ASSERT_TRUE(read);
  EXPECT_EQ(read->endpoint, "tcp://127.0.0.1:99");
  EXPECT_EQ(read->run, core::RunId(5));
  EXPECT_EQ(read->epoch, core::Epoch(2));
}

TEST(Rendezvous, WhatIsNoRendezvousIsAbsent) {
  const testing::TempFolder folder;
  for (const char* text :
       {"", "{", "[]", "{\"endpoint\": 5}", "{\"endpoint\": \"x\", \"run\": \"y\"}"}) {
    std::ofstream(folder / "file.json") << text;
    EXPECT_FALSE(ReadRendezvous(folder / "file.json")) << text;
  }
}

TEST(Rendezvous, WaitsForTheCoordinator) {
  const testing::TempFolder folder;
  const std::filesystem::path file = folder / "rendezvous.json";
  std::thread coordinator([&] {
    WriteRendezvous(file, {"tcp://x:1", core::RunId(5), core::Epoch(1)});
  });
  EXPECT_EQ(WaitForRendezvous(file, testing::Soon()).run, core::RunId(5));
  coordinator.join();

  EXPECT_THROW(WaitForRendezvous(folder / "never.json", testing::In(std::chrono::milliseconds(1))),
               core::UnavailableError);
}

TEST(CoordinatorState, EachStartRaisesTheEpochOfTheSameRun) {
  const testing::TempFolder folder;
  const CoordinatorState first = BeginEpoch(folder / "coordinator.json");
  const CoordinatorState second = BeginEpoch(folder / "coordinator.json");
  const CoordinatorState other = BeginEpoch(folder / "other.json");

  EXPECT_EQ(first.epoch, core::Epoch(1));
  EXPECT_EQ(second.epoch, core::Epoch(2));
  EXPECT_EQ(second.run, first.run);
  EXPECT_NE(other.run, first.run);
  EXPECT_GT(first.run.value, 0);
}

TEST(CoordinatorState, ADamagedFileIsAnErrorAndNotANewRun) {
  const testing::TempFolder folder;
  std::ofstream(folder / "coordinator.json") << "{\"run\": 5";
  EXPECT_THROW(BeginEpoch(folder / "coordinator.json"), core::IoError);
}

}  // namespace
}  // namespace londi::transport
