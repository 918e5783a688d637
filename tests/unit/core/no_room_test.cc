#include "core/no_room.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace londi::core {
namespace {

TEST(ThrowIoError, AFullDiskAQuotaAndALimitAreNoRoom) {
  for (const int error : {ENOSPC, EDQUOT, EFBIG}) {
    EXPECT_THROW(ThrowIoError(error, "what", "fix"), NoRoomError) << error;
  }
}

TEST(ThrowIoError, EverythingElseIsNot) {
  try {
    ThrowIoError(EIO, "cannot write x", "look at the disk");
  } catch (const NoRoomError&) {
    FAIL();
  } catch (const IoError& error) {
    EXPECT_EQ(error.text().what, "cannot write x");
    EXPECT_EQ(error.text().why, "Input/output error");
    EXPECT_EQ(error.text().fix, "look at the disk");
  }
}

}  // namespace
}  // namespace londi::core
