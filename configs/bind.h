#pragma once

#include "configs/run_config.h"
#include "configs/strict_yaml.h"

// The options of one owner each, as keys of the configuration. Used by run_config.cc only.
namespace londi::configs {

void BindLearner(learner::LearnerOptions& learner, OptionTable& table);
void BindTransitionLog(learner::SegmentLogOptions& log, OptionTable& table);

}  // namespace londi::configs
