#include "configs/nearest_name.h"

#include <gtest/gtest.h>

namespace londi::configs {
namespace {

TEST(NearestName, CountsEdits) {
  EXPECT_EQ(EditDistance("", "abc"), 3);
  EXPECT_EQ(EditDistance("batch", "batch"), 0);
  EXPECT_EQ(EditDistance("batch", "bacth"), 1);  // Neighbours swapped.
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3);
}

TEST(NearestName, NamesWhatWasMeant) {
  const std::vector<std::string> known = {"learner.batch_size", "learner.log", "actor.episodes"};

  EXPECT_EQ(NearestName("learner.bacth_size", known), "learner.batch_size");
  EXPECT_EQ(NearestName("actor.episode", known), "actor.episodes");
}

TEST(NearestName, IsSilentWhenNothingIsClose) {
  EXPECT_EQ(NearestName("xyz", {"learner.batch_size"}), "");
  EXPECT_EQ(NearestName("", {"learner"}), "");
}

}  // namespace
}  // namespace londi::configs
