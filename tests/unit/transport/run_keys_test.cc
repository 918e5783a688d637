#include "transport/run_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "core/error.h"
#include "tests/support/temp_folder.h"

namespace londi::transport {
namespace {

class RunKeysFile : public ::testing::Test {
 protected:
  RunKeysFile() { WriteRunKeys(file_, keys_); }

  core::ErrorText Refusal() const {
    try {
      ReadRunKeys(file_);
    } catch (const core::IoError& error) {
      return error.text();
    }
    return {};
  }

  testing::TempFolder folder_;
  const std::filesystem::path file_ = folder_ / "keys.json";
  const RunKeys keys_ = MakeRunKeys();
};

TEST_F(RunKeysFile, IsReadAsWritten) {
  const RunKeys read = ReadRunKeys(file_);

  EXPECT_EQ(read.server.public_key, keys_.server.public_key);
  EXPECT_EQ(read.server.secret_key, keys_.server.secret_key);
  EXPECT_EQ(read.client.public_key, keys_.client.public_key);
  EXPECT_EQ(read.client.secret_key, keys_.client.secret_key);
}

TEST_F(RunKeysFile, HoldsOtherKeysForEveryRun) {
  const RunKeys other = MakeRunKeys();
  EXPECT_NE(other.server.secret_key, keys_.server.secret_key);
  EXPECT_NE(other.client.secret_key, keys_.client.secret_key);
  EXPECT_NE(keys_.client.secret_key, keys_.server.secret_key);
}

TEST_F(RunKeysFile, IsForItsOwnerAloneWhateverTheUmask) {
  const mode_t before = umask(0);
  WriteRunKeys(file_, keys_);
  umask(before);

  struct stat info {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_F(RunKeysFile, IsRefusedWhenOthersMayAccessIt) {
  for (const mode_t mode : {0640u, 0604u, 0660u, 0620u, 0601u}) {
    ASSERT_EQ(chmod(file_.c_str(), mode), 0);
    const core::ErrorText refusal = Refusal();
    EXPECT_NE(refusal.what.find("keys.json"), std::string::npos) << std::oct << mode;
    EXPECT_NE(refusal.why.find("others"), std::string::npos);
    EXPECT_NE(refusal.fix.find("chmod 600"), std::string::npos);
  }
  ASSERT_EQ(chmod(file_.c_str(), 0400), 0);
  EXPECT_NO_THROW(ReadRunKeys(file_));
}

TEST_F(RunKeysFile, IsRefusedWhenItIsALinkOrMissing) {
  std::filesystem::rename(file_, folder_ / "elsewhere.json");
  EXPECT_THROW(ReadRunKeys(file_), core::IoError);
  std::filesystem::create_symlink(folder_ / "elsewhere.json", file_);
  EXPECT_THROW(ReadRunKeys(file_), core::IoError);
}

TEST_F(RunKeysFile, IsRefusedWhenItHoldsNoKeys) {
  const std::string pair = R"({"public": ")" + keys_.server.public_key + R"(", "secret": ")";
  for (const std::string& text :
       {std::string(),
        std::string("[]"),
        std::string(R"({"server": 5, "client": 6})"),
        R"({"server": )" + pair + R"(short"}, "client": )" + pair + R"("}})",
        // Halves of different pairs.
        R"({"server": )" + pair + keys_.client.secret_key + R"("}, "client": )" + pair + R"("}})",
        std::string(1 << 20, '[')}) {
    std::ofstream(file_, std::ios::trunc) << text;
    const core::ErrorText refusal = Refusal();
    EXPECT_FALSE(refusal.what.empty()) << text.substr(0, 80);
    EXPECT_EQ((refusal.why + refusal.what + refusal.fix).find(keys_.client.secret_key),
              std::string::npos);
  }
}

}  // namespace
}  // namespace londi::transport
