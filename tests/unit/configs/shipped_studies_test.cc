#include <gtest/gtest.h>

#include <filesystem>

#include "configs/study_config.h"
#include "core/error.h"

namespace londi::configs {
namespace {

// Each variant of each study is a configuration that a run would take.
TEST(ShippedStudies, Load) {
  int studies = 0;
  for (const auto& entry : std::filesystem::directory_iterator(LONDI_STUDIES)) {
    ++studies;
    try {
      EXPECT_FALSE(LoadStudyConfig(entry.path(), {}).ParsedVariants().empty()) << entry.path();
    } catch (const core::Error& error) {
      ADD_FAILURE() << entry.path() << ": " << error.what();
    }
  }
  EXPECT_GE(studies, 2);
}

}  // namespace
}  // namespace londi::configs
