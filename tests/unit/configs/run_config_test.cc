#include "configs/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <string>
#include <utility>
#include <vector>

#include "core/error.h"
#include "inference/inference_server.h"

namespace londi::configs {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

// What `check` complains about; fails where it does not.
template <class Check>
std::string Complaint(const Check& check) {
  try {
    check();
  } catch (const core::ConfigError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

TEST(RunConfig, ErrorsNameKeysThatExist) {
  RunConfig config;
  OptionTable table;
  Bind(config, table);
  std::vector<std::string> complaints;
  const auto refuse = [&](auto options, const auto& spoil) {
    spoil(options);
    complaints.push_back(Complaint([&] { options.Validate(); }));
  };

  refuse(actors::ActorOptions(), [](auto& actor) { actor.episodes = 0; });
  refuse(actors::ActorOptions(), [](auto& actor) { actor.lm_timeout = {}; });
  refuse(actors::ActorOptions(), [](auto& actor) { actor.max_failed_episodes = 0; });
  refuse(actors::ActorOptions(), [](auto& actor) { actor.drain = std::chrono::seconds(-1); });
  refuse(actors::TermsOptions(), [](auto& terms) { terms.zero_cost = 2; });
  refuse(actors::TermsOptions(), [](auto& terms) { terms.min_cost = 2; });
  refuse(actors::TermsOptions(), [](auto& terms) { terms.max_budget = -1; });
  refuse(inference::ServerOptions(), [](auto& server) { server.threads = 0; });
  refuse(inference::ServerOptions(), [](auto& server) { server.drain = std::chrono::seconds(-1); });
  refuse(inference::BatchingOptions(), [](auto& batching) { batching.max_tokens = 0; });
  refuse(learner::DqnOptions(), [](auto& dqn) {
    dqn.branching = true;
    dqn.memory.width = 16;
  });
  refuse(learner::DqnOptions(), [](auto& dqn) { dqn.memory.width = 3; });
  refuse(learner::DqnOptions(), [](auto& dqn) { dqn.memory.window = 0; });
  refuse(EvaluationPlan(), [](auto& plan) { plan.costs.clear(); });

  const std::regex key("(run|quick|deepthink|inference|actors?|learner|evaluation)(\\.[a-z_]+)+");
  for (const std::string& complaint : complaints) {
    std::smatch found;
    ASSERT_TRUE(std::regex_search(complaint, found, key)) << complaint;
    for (std::string rest = complaint; std::regex_search(rest, found, key); rest = found.suffix()) {
      EXPECT_THAT(table.Keys(), Contains(found.str())) << complaint;
    }
  }
}

TEST(RunConfig, RefusesToAskWhereTheLmsDisagreeOfALearnerThatDoesNotKnow) {
  const auto complaint = [](const auto& spoil) {
    RunConfig config;
    config.learner.algorithm.name = "sac";
    config.learner.n_step = 1;
    EXPECT_NO_THROW(config.Validate());
    spoil(config);
    return Complaint([&] { config.Validate(); });
  };

  EXPECT_THAT(complaint([](auto& config) { config.evaluation.baselines = {"disagreement"}; }),
              HasSubstr("evaluation.baselines"));
  EXPECT_THAT(complaint([](auto& config) { config.actor.exploration.disagreement = 0.1; }),
              HasSubstr("actor.exploration.disagreement"));
  EXPECT_THAT(complaint([](auto& config) { config.actor.switcher.kind = "disagreement"; }),
              HasSubstr("learner.algorithm is sac"));
}

TEST(RunConfig, RefusesLabelsThatNothingLearnsFrom) {
  RunConfig config;
  config.actor.exploration.labels = 0.3;
  learner::LearnerOptions& learner = config.learner;
  const auto complaint = [&] { return Complaint([&] { config.Validate(); }); };

  EXPECT_NO_THROW(config.Validate());
  learner.batch.agreement_rows = false;
  EXPECT_NO_THROW(config.Validate()) << "the tower learns from them";
  learner.algorithm.dqn.disagreement_width = 0;
  EXPECT_THAT(complaint(),
              AllOf(HasSubstr("actor.exploration.labels is 0.3"),
                    HasSubstr("learner.dqn.disagreement_width"),
                    HasSubstr("set actor.exploration.labels to 0"),
                    HasSubstr("learner.agreement_rows to true")));
  config.actor.exploration.labels = 0;
  EXPECT_NO_THROW(config.Validate());
  config.actor.exploration.labels = 0.3;
  learner.batch.agreement_rows = true;
  EXPECT_NO_THROW(config.Validate()) << "agreement rows are made of them";

  learner.algorithm.name = "sac";
  learner.n_step = 1;
  EXPECT_NO_THROW(config.Validate()) << "of them for SAC, too";
  learner.batch.agreement_rows = false;
  EXPECT_THAT(complaint(), HasSubstr("learner.agreement_rows to true"));
  config.run.rows_from = "runs/former";
  EXPECT_NO_THROW(config.Validate()) << "nobody acts, so nobody asks for labels";
}

// Rows said that a call takes 9 tokens where it took 27: labels had kept DEEPTHINK's cache warm.
TEST(RunConfig, LabelsGoWithBudgetsOfCallsOnly) {
  RunConfig config;
  config.actor.exploration.labels = 0.3;
  config.actor.terms.budget_unit = core::BudgetUnit::kTokens;
  config.actor.terms.call_price = 40;
  const auto complaint = [&] { return Complaint([&] { config.Validate(); }); };

  EXPECT_THAT(
      complaint(),
      AllOf(HasSubstr("budgets count tokens"), HasSubstr("set actor.exploration.labels to 0")));
  config.run.rows_from = "runs/former";
  EXPECT_NO_THROW(config.Validate()) << "nobody acts, so nobody asks for labels";
  config.run.rows_from.clear();
  config.actor.exploration.labels = 0;
  EXPECT_NO_THROW(config.Validate());
}

TEST(RunConfig, AMemoryGoesWithDqnAndWithoutCopiesOfEpisodes) {
  RunConfig config;
  config.learner.algorithm.dqn.memory.width = 16;
  EXPECT_NO_THROW(config.Validate());

  config.actor.branching.share = 0.5;
  EXPECT_THAT(Complaint([&] { config.Validate(); }),
              AllOf(HasSubstr("actor.branching.share"), HasSubstr("learner.dqn.memory.width")));
  config.actor.branching.share = 0;
  config.learner.algorithm.dqn.branching = true;
  EXPECT_THAT(Complaint([&] { config.Validate(); }),
              AllOf(HasSubstr("learner.dqn.branching"), HasSubstr("learner.dqn.memory.width")));
  config.learner.algorithm.dqn.branching = false;
  config.learner.n_step = 1;
  for (const char* other : {"sac", "ppo"}) {
    config.learner.algorithm.name = other;
    EXPECT_THAT(Complaint([&] { config.Validate(); }),
                AllOf(HasSubstr("learner.dqn.memory.width is 16"), HasSubstr(other)));
  }
}

// With all that an on-policy algorithm asks of the rest.
void UsePpo(RunConfig& config) {
  config.learner.algorithm.name = "ppo";
  config.learner.batch.relabel.enabled = config.learner.batch.agreement_rows = false;
  config.learner.rate.samples_per_row = 4;
  config.actor.exploration = {
      .always_quick = 0, .always_deepthink = 0, .random_rate = 0, .takeover = 0};
}

TEST(RunConfig, AnOnPolicyAlgorithmNeedsItsPolicyToAct) {
  RunConfig config;
  UsePpo(config);
  EXPECT_NO_THROW(config.Validate());

  config.actor.exploration.takeover = 0.1;
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("actor.exploration.takeover"));
  config.actor.exploration.takeover = 0;
  config.actor.branching.share = 0.5;
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("actor.branching.share"));
  config.actor.branching.share = 0;
  config.run.rows_from = "runs/former";
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("run.rows_from"));
  config.run.rows_from.clear();
  config.actor.exploration.labels = 0.3;
  EXPECT_THAT(Complaint([&] { config.Validate(); }),
              AllOf(HasSubstr("set actor.exploration.labels to 0"),
                    Not(HasSubstr("learner.agreement_rows to true"))));
}

TEST(RunConfig, AnActorMayHandOverOnlyAsLongAsItLives) {
  RunConfig config;
  config.run.drain = std::chrono::seconds(8);
  config.actor.drain = std::chrono::seconds(8);
  EXPECT_NO_THROW(config.Validate());
  config.actor.drain = std::chrono::milliseconds(8001);
  EXPECT_THAT(Complaint([&] { config.Validate(); }),
              AllOf(HasSubstr("actor.drain is 8001ms although run.drain is 8s"),
                    HasSubstr("raise run.drain")));
}

TEST(RunConfig, BoundariesAreForWhoLearnsFromThem) {
  RunConfig config;
  config.actor.boundaries.rollouts = 2;
  EXPECT_THAT(Complaint([&] { config.Validate(); }),
              AllOf(HasSubstr("actor.boundaries.rollouts is 2 although learner.algorithm is dqn"),
                    HasSubstr("set actor.boundaries.rollouts to 0, or learner.algorithm to ppo")));

  UsePpo(config);
  EXPECT_NO_THROW(config.Validate());
  config.actor.boundaries.rollouts = -1;
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("actor.boundaries.rollouts is -1"));
}

TEST(RunConfig, LockStepRefusesWhatWouldGiveOtherNumbers) {
  RunConfig config;
  config.run.lock_step = 100;
  config.learner.max_updates = 1000;
  config.evaluation.options.threads = 1;
  EXPECT_NO_THROW(config.Validate());

  const auto complaint = [](RunConfig spoilt) { return Complaint([&] { spoilt.Validate(); }); };
  RunConfig spoilt = config;
  spoilt.learner.max_updates = 0;
  EXPECT_THAT(complaint(spoilt),
              AllOf(HasSubstr("run.lock_step is 100"), HasSubstr("set learner.max_updates")));
  spoilt = config;
  spoilt.evaluation.options.threads = 4;
  EXPECT_THAT(complaint(spoilt), HasSubstr("set evaluation.threads to 1"));
  spoilt = config;
  spoilt.run.rows_from = "runs/former";
  EXPECT_THAT(complaint(spoilt), HasSubstr("run.rows_from is set"));
  spoilt = config;
  spoilt.learner.algorithm.name = "ppo";
  spoilt.learner.batch.relabel.enabled = spoilt.learner.batch.agreement_rows = false;
  spoilt.learner.rate.samples_per_row = 4;
  EXPECT_THAT(complaint(spoilt), HasSubstr("although learner.algorithm is ppo"));
}

TEST(RunConfig, SoftActorCriticLearnsFromSingleSteps) {
  RunConfig config;
  config.learner.algorithm.name = "sac";
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("learner.n_step"));
}

TEST(RunConfig, ChecksTheCalibrationOfTheEvaluation) {
  RunConfig config;
  config.evaluation.calibration.tries = 0;
  EXPECT_THAT(Complaint([&] { config.Validate(); }), HasSubstr("calibration"));
}

}  // namespace
}  // namespace londi::configs
