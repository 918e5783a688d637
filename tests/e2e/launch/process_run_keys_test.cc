// Who gets to see the keys of a run in several processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "core/error.h"
#include "launch/roles/roles.h"
#include "tests/e2e/launch/process_run_support.h"
#include "transport/run_keys.h"

namespace londi::launch {
namespace {

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(ProcessRun, KeepsItsKeysToItself) {
  std::vector<std::string> secrets;
  std::string command_lines;
  auto mode = std::filesystem::perms::unknown;
  TrainBeside([&] {
    WaitFor([&] { return Decisions() > 500; });
    const auto keys = transport::ReadRunKeys(folder_.keys());
    secrets = {keys.server.secret_key, keys.client.secret_key};
    mode = std::filesystem::status(folder_.keys()).permissions();
    for (const auto& [role, pid] : Pids(folder_)) {
      command_lines += ReadAll("/proc/" + std::to_string(pid) + "/cmdline");
      command_lines += ReadAll("/proc/" + std::to_string(pid) + "/environ");
    }
  });

  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_FALSE(std::filesystem::exists(folder_.keys())) << "nobody listens to them any more";
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_THAT(command_lines, ::testing::HasSubstr("actor"));
  for (const std::string& secret : secrets) {
    EXPECT_THAT(command_lines, ::testing::Not(::testing::HasSubstr(secret)));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path)) {
      if (!entry.is_regular_file()) continue;
      EXPECT_EQ(ReadAll(entry.path()).find(secret), std::string::npos) << entry.path();
    }
  }
}

TEST_F(ProcessRun, WithoutSecurityRunsWithoutKeysAndSaysSoInEveryLog) {
  config_.transport.security = transport::Security::kNone;
  WriteFileAtomically(folder_.config(), configs::ToYaml(config_));
  bool had_keys = true;

  TrainBeside([&] { had_keys = std::filesystem::exists(folder_.keys()); });

  EXPECT_FALSE(had_keys);
  for (const char* role : {"coordinator", "learner", "actor.0", "inference.quick.0"}) {
    EXPECT_THAT(ReadAll(folder_.logs() / (std::string(role) + ".log")),
                ::testing::HasSubstr("transport.security is none"));
  }
}

// As after a copy of the run folder that lost the modes of its files.
TEST_F(ProcessRun, ARoleRefusesKeysThatOthersMayRead) {
  transport::WriteRunKeys(folder_.keys(), transport::MakeRunKeys());
  std::filesystem::permissions(folder_.keys(), std::filesystem::perms(0644));

  EXPECT_THROW(RunCoordinator(folder_.path), core::IoError);
  EXPECT_FALSE(std::filesystem::exists(folder_.rendezvous()));
}

}  // namespace
}  // namespace londi::launch
