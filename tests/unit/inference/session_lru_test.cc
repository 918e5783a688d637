#include "inference/session_lru.h"

#include <gtest/gtest.h>

#include <string>

namespace londi::inference {
namespace {

TEST(SessionLru, DropsWhatWasUsedLeastRecentlyUntilItFits) {
  SessionLru<std::string> lru;
  for (const std::uint64_t session : {1, 2, 3, 4}) {
    lru.Touch(session) = std::to_string(session);
    lru.SetBytes(session, 10);
  }
  lru.Touch(1);

  lru.Trim(25);

  EXPECT_EQ(lru.bytes(), 20u);
  ASSERT_NE(lru.Find(1), nullptr);
  EXPECT_EQ(*lru.Find(1), "1");
  EXPECT_NE(lru.Find(4), nullptr);
  EXPECT_EQ(lru.Find(2), nullptr);
  EXPECT_EQ(lru.Find(3), nullptr);
}

TEST(SessionLru, LookingIsNoUse) {
  SessionLru<int> lru;
  for (const std::uint64_t session : {1, 2}) {
    lru.Touch(session);
    lru.SetBytes(session, 10);
  }
  EXPECT_NE(lru.Find(1), nullptr);

  lru.Trim(10);

  EXPECT_EQ(lru.Find(1), nullptr);
}

TEST(SessionLru, BytesFollowWhatValuesTakeNow) {
  SessionLru<int> lru;
  lru.Touch(1);
  lru.SetBytes(1, 100);
  lru.SetBytes(1, 30);
  lru.Touch(2);
  lru.SetBytes(2, 5);
  EXPECT_EQ(lru.bytes(), 35u);

  lru.Trim(0);

  EXPECT_EQ(lru.bytes(), 0u);
  EXPECT_EQ(lru.size(), 0u);
  EXPECT_EQ(lru.Touch(1), 0);  // Made anew.
}

TEST(SessionLru, ReferencesStayValidUntilTrim) {
  SessionLru<int> lru;
  int& first = lru.Touch(1);
  first = 7;
  for (std::uint64_t session = 2; session < 200; ++session) lru.Touch(session);

  EXPECT_EQ(&lru.Touch(1), &first);
  EXPECT_EQ(first, 7);
}

}  // namespace
}  // namespace londi::inference
