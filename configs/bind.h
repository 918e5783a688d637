#pragma once

#include "configs/run_config.h"
#include "configs/strict_yaml.h"

// The options of one owner each, as keys of the configuration. Used by run_config.cc only.
namespace londi::configs {

void BindLms(RunConfig& config, OptionTable& table);
void BindBatching(inference::BatchingOptions& batching, OptionTable& table);
void BindEnvironment(EnvironmentChoice& environment, OptionTable& table);
void BindActor(actors::ActorOptions& actor, OptionTable& table);
void BindEvaluation(EvaluationPlan& plan, OptionTable& table);
void BindLearner(learner::LearnerOptions& learner, OptionTable& table);
void BindTransitionLog(learner::SegmentLogOptions& log, OptionTable& table);

}  // namespace londi::configs
