// What the londi binary says to people who err: what, why, fix, a status other than 0, no hang.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/run_command.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_lms.h"

namespace londi::launch {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

class CommandLine : public ::testing::Test {
 protected:
  testing::CommandResult Londi(const std::string& arguments) {
    return testing::RunCommand(std::string(LONDI_BINARY) + " " + arguments);
  }

  // Writes a configuration and returns its path.
  std::string Config(const std::string& yaml) {
    const auto file = temp_ / "run.yaml";
    std::ofstream(file) << yaml;
    return file.string();
  }

  // Model folders that look like some from outside.
  std::string WithModels() {
    for (const char* tier : {"quick", "deepthink"}) {
      std::filesystem::create_directories(temp_ / tier);
      std::ofstream(temp_ / tier / "config.json") << "{}";
    }
    return "run: {folder: runs, restarts: 0}\nquick: {model: quick}\ndeepthink: {model: "
           "deepthink}\n";
  }

  // A configuration with two LMs that work.
  std::string WithTinyLms() {
    const std::filesystem::path golden = LONDI_GOLDEN_MODELS;
    testing::CopyTinyLm(golden / "gqa_tied", temp_ / "quick");
    testing::CopyTinyLm(golden / "mha_untied", temp_ / "deepthink");
    return Config(
        "run: {folder: runs, restarts: 0}\nquick: {model: quick}\ndeepthink: {model: deepthink}\n");
  }

  static auto Complains(int status, const std::string& what, const std::string& fix) {
    return AllOf(
        ::testing::Field(&testing::CommandResult::status, status),
        ::testing::Field(
            &testing::CommandResult::output,
            AllOf(HasSubstr(what), HasSubstr("why: "), HasSubstr("fix: "), HasSubstr(fix))));
  }

  testing::TempFolder temp_;
};

TEST_F(CommandLine, HelpSaysWhatThereIsAndHowToBegin) {
  const auto help = Londi("--help");
  EXPECT_EQ(help.status, 0);
  EXPECT_THAT(help.output, AllOf(HasSubstr("train"), HasSubstr("eval"), HasSubstr("Begin with")));
  EXPECT_THAT(Londi("train --help").output, AllOf(HasSubstr("--resume"), HasSubstr("Ctrl-C")));
}

TEST_F(CommandLine, AMisspeltCommandNamesTheNearest) {
  EXPECT_THAT(Londi("trian configs/babyai_text.yaml"),
              Complains(2, "there is no command 'trian'", "did you mean `londi train`"));
  EXPECT_THAT(Londi(""), Complains(2, "not understood", "londi --help"));
  EXPECT_THAT(Londi("train --in-procces"), Complains(2, "--in-procces", "londi train --help"));
}

TEST_F(CommandLine, ANumberThatIsNoneIsRefusedWithItsBounds) {
  for (const char* wrong : {"nan", "-1", "inf", "many"}) {
    const auto result = Londi(std::string("eval somewhere --cost 0.03 --budget ") + wrong);
    EXPECT_THAT(result,
                Complains(2,
                          std::string("--budget: '") + wrong + "' is no number from 0 to 1e+09",
                          "londi eval --help"));
  }
  EXPECT_THAT(Londi("eval somewhere --episodes 99999999999999999999"),
              Complains(2, "is no number from 1 to 1e+09", "londi eval --help"));
}

TEST_F(CommandLine, AMisspeltKeyNamesFileLineAndTheNearestKey) {
  EXPECT_THAT(Londi("train " + Config("learner:\n  bacth_size: 3\n")),
              Complains(2, "run.yaml:2", "did you mean 'learner.batch_size'"));
}

TEST_F(CommandLine, AValueOutOfRangeNamesItsLimits) {
  EXPECT_THAT(Londi("train " + Config("run:\n  num_actors: 0\n")),
              Complains(2, "run.num_actors is 0", "1 to 1024"));
  EXPECT_THAT(Londi("config print --set run.lease=1s"),
              Complains(2, "run.lease", "raise run.lease"));
}

TEST_F(CommandLine, AMissingConfigurationIsNamed) {
  EXPECT_THAT(Londi("train " + (temp_ / "none.yaml").string()),
              Complains(1, "none.yaml", "configs/babyai_text.yaml"));
}

TEST_F(CommandLine, AMissingModelIsNamedBeforeARunIsBegun) {
  const std::string config = Config("run: {folder: runs}\nquick: {model: no/such}\n");
  EXPECT_THAT(Londi("train " + config), Complains(2, "quick.model", "--set quick.model=FOLDER"));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "runs"));
}

TEST_F(CommandLine, ARunFolderThatCannotBeMadeIsNamed) {
  const std::string config = Config(WithModels());
  std::ofstream(temp_ / "file") << "in the way";
  EXPECT_THAT(Londi("train " + config + " --set run.folder=" + (temp_ / "file").string()),
              Complains(1, (temp_ / "file").string(), "run.folder"));
}

TEST_F(CommandLine, OnlyARunCanBeResumedOrEvaluated) {
  EXPECT_THAT(Londi("train --resume " + temp_.path().string()),
              Complains(1, "no run folder", "runs/"));
  EXPECT_THAT(Londi("eval " + temp_.path().string()), Complains(1, "no run folder", "runs/"));
}

TEST_F(CommandLine, WhatIsNoInterfaceIsRefusedAndOneThatOthersReachWithoutSecurity) {
  const std::string config = Config(WithModels());
  for (const char* address : {"0.0.0.0", "::", "eth0", "127.0.0.1.example", "*", ""}) {
    EXPECT_THAT(Londi("train " + config + " --set run.interface='\"" + address + "\"'"),
                Complains(2, "run.interface is '" + std::string(address) + "'", "127.0.0.1"));
  }
  EXPECT_FALSE(std::filesystem::exists(temp_ / "runs"));
  EXPECT_EQ(Londi("config print --set run.interface=127.3.0.9").status, 0);
  EXPECT_EQ(Londi("config print --set run.interface=203.0.113.77").status, 0);
  EXPECT_THAT(Londi("config print --set run.interface=203.0.113.77 --set transport.security=none"),
              Complains(2, "run.interface is '203.0.113.77'", "transport.security"));
}

TEST_F(CommandLine, SaysWhichCheckpointsARunHas) {
  EXPECT_THAT(Londi("checkpoint inspect " + (temp_ / "nowhere").string()),
              Complains(1, "is no run folder", "londi train"));
  std::ofstream(temp_ / "config.yaml") << "run: {seed: 2}";
  const auto none = Londi("checkpoint inspect " + temp_.path().string());
  EXPECT_EQ(none.status, 0);
  EXPECT_THAT(none.output, HasSubstr("no checkpoints in "));
  const auto torn = temp_ / "checkpoints/checkpoint-000000000009";
  std::filesystem::create_directory(torn);
  std::ofstream(torn / "state.json") << "{";
  const auto result = Londi("checkpoint inspect " + temp_.path().string());
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.output,
              AllOf(HasSubstr("checkpoint-000000000009  1 bytes  TORN: "),
                    HasSubstr("none of them can be restored")));
}

TEST_F(CommandLine, AnEvaluationThatComparesNothingIsRefusedBeforeTheTraining) {
  EXPECT_THAT(Londi("config print --set evaluation.costs=[]"),
              Complains(2, "evaluation.costs is empty", "evaluation.costs=[0.02]"));
  EXPECT_EQ(Londi("config print --set evaluation.budgets=[]").status, 0);
  EXPECT_THAT(Londi("config print --set evaluation.average_calls=[2.5]").output,
              ContainsRegex("evaluation.average_calls += .2.5."));
  EXPECT_THAT(Londi("config print --set evaluation.average_calls=[2,0]"),
              Complains(2, "evaluation.average_calls", "always-quick"));
  EXPECT_THAT(Londi("config print").output,
              ContainsRegex("evaluation.baselines += ..random., .entropy.."));
  EXPECT_EQ(Londi("config print --set evaluation.baselines=[margin,swift-sage]").status, 0);
  EXPECT_THAT(Londi("config print --set evaluation.baselines=[margn]"),
              Complains(2, "evaluation.baselines", "swift-sage"));
}

TEST_F(CommandLine, BudgetsOfAnotherUnitNeedAPriceAndAnAlgorithmThatKnowsThem) {
  const std::string tokens = "config print --set actor.terms.budget_unit=tokens";
  EXPECT_THAT(Londi(tokens), Complains(2, "actor.terms.call_price", "set it above 0"));
  const std::string priced = tokens + " --set actor.terms.call_price=40";
  EXPECT_EQ(Londi(priced).status, 0);
  EXPECT_THAT(Londi("config print --set actor.terms.call_price=40"),
              Complains(2, "actor.terms.call_price", "set it to 0"));
  EXPECT_THAT(Londi("config print --set actor.terms.budget_unit=seconds"),
              Complains(2, "actor.terms.budget_unit", "gflops"));
  EXPECT_THAT(Londi(priced + " --set evaluation.oracle=true"),
              Complains(2, "evaluation.oracle", "evaluation.budgets"));
  EXPECT_EQ(Londi(priced + " --set evaluation.oracle=true --set evaluation.budgets=[]").status, 0);
  EXPECT_THAT(Londi(priced + " --set learner.algorithm=sac --set learner.n_step=1"),
              Complains(2, "learner.algorithm", "actor.terms.budget_unit"));
}

TEST_F(CommandLine, ARuleIsEvaluatedByItsNameAndItsKnob) {
  std::ofstream(temp_ / "config.yaml") << "run: {seed: 2}";
  const std::string eval = "eval " + temp_.path().string();
  EXPECT_THAT(Londi(eval + " --policy margn --threshold 1"),
              Complains(2, "--policy margn is not understood", "sequence-prob"));
  EXPECT_THAT(Londi(eval + " --policy first"),
              Complains(2, "--policy first without --steps", "add --steps"));
  EXPECT_THAT(Londi(eval + " --policy random --rate 2"), Complains(2, "--rate", "eval --help"));
  EXPECT_THAT(Londi(eval + " --baselines random,margn"),
              Complains(2, "evaluation.baselines", "swift-sage"));
}

TEST_F(CommandLine, AnOptionThatAnEvaluationWouldNotReadIsRefused) {
  std::ofstream(temp_ / "config.yaml") << "run: {seed: 2}";
  const std::string eval = "eval " + temp_.path().string();
  EXPECT_THAT(Londi(eval + " --policy first --steps 3 --rate 0.2"),
              Complains(2, "--rate", "leave --rate out"));
  EXPECT_THAT(Londi(eval + " --policy swift-sage --threshold 0.2"),
              Complains(2, "--threshold", "leave --threshold out"));
  EXPECT_THAT(Londi(eval + " --policy always-quick --steps 3"),
              Complains(2, "--steps", "leave --steps out"));
  EXPECT_THAT(Londi(eval + " --rate 0.2"), Complains(2, "--rate", "leave --rate out"));
  for (const char* one_cell : {" --policy swift-sage", " --cost 0.1"}) {
    EXPECT_THAT(Londi(eval + " --baselines random" + one_cell),
                Complains(2, "--baselines", "leave --baselines out"));
    EXPECT_THAT(Londi(eval + " --average-calls 2" + one_cell),
                Complains(2, "--average-calls", "leave --average-calls out"));
  }
  EXPECT_THAT(Londi(eval + " --policy first --steps 3 --oracle"),
              Complains(2, "--oracle", "leave --oracle out"));
  EXPECT_THAT(Londi(eval + " --oracle --set evaluation.oracle_nodes=0"),
              Complains(2, "evaluation.oracle_nodes", "1"));
}

TEST_F(CommandLine, ARuleThatAsksTheNetworkIsRefusedBeforeATrainingWithoutThatPart) {
  const std::string without = "config print --set learner.dqn.disagreement_width=0";
  EXPECT_EQ(Londi(without).status, 0);
  EXPECT_THAT(Londi(without + " --set evaluation.baselines=[random,disagreement]"),
              Complains(2, "evaluation.baselines", "learner.dqn.disagreement_width"));
  EXPECT_THAT(Londi(without + " --set actor.switcher=disagreement"),
              Complains(2, "actor.switcher", "learner.dqn.disagreement_width"));
}

TEST_F(CommandLine, AStudyThatCannotWorkIsRefusedBeforeAnythingIsTrained) {
  std::ofstream(temp_ / "base.yaml") << "run: {duration: 10s}";
  const auto study = [&](const std::string& more) {
    std::ofstream(temp_ / "study.yaml") << "study:\n  name: s\n  folder: studies\n" << more;
    return Londi("study " + (temp_ / "study.yaml").string());
  };
  const std::string base = "  config: base.yaml\n";
  const std::string good = base + "  seeds: [1]\n";
  EXPECT_THAT(study("  sedes: [1]\n"), Complains(2, "study.yaml:4", "did you mean 'study.seeds'"));
  EXPECT_THAT(study("  seeds: [1]\n"), Complains(2, "study.config is not set", "study.config="));
  EXPECT_THAT(study(base), Complains(2, "study.seeds is empty", "study.seeds="));
  EXPECT_THAT(study(base + "  seeds: [1, 2, 1]\n"), Complains(2, "seed twice", "different"));
  EXPECT_THAT(study(good), Complains(2, "study.variants is empty", "study.variants="));
  EXPECT_THAT(study(good + "  variants: [a, a]\n"), Complains(2, "'a' twice", "different names"));
  EXPECT_THAT(study(good + "  variants: [../a]\n"), Complains(2, "'../a'", "for example"));
  EXPECT_THAT(study(good + "  variants: [a learner.agrement_rows=false]\n"),
              Complains(2, "learner.agrement_rows", "did you mean 'learner.agreement_rows'"));
  EXPECT_THAT(study(good + "  variants: [a quick.threads=2]\n"),
              Complains(2, "variant 'a' sets quick.threads=2", "study.set"));
  EXPECT_THAT(study(good + "  variants: [a run.seed=2]\n"),
              Complains(2, "run.seed=2", "study.seeds"));
  EXPECT_THAT(study(good + "  variants: [a]\n  set: [run.folder=x]\n"),
              Complains(2, "run.folder=x", "study.folder"));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "studies"));

  std::ofstream(temp_ / "study.yaml") << "study:\n  name: s\n  folder: studies\n"
                                      << good << "  variants: [a]\n";
  EXPECT_THAT(Londi("study --only-report " + (temp_ / "study.yaml").string()),
              Complains(1, "nothing to report", "londi study"));
  // What is to be typed next is about the same study.
  EXPECT_THAT(
      Londi("study --only-report " + (temp_ / "study.yaml").string() +
            " --set study.name=other --set 'study.seeds=[3, 4]'"),
      Complains(
          1, "nothing to report", "study.yaml --set study.name=other --set 'study.seeds=[3, 4]'"));
}

// It was "an unexpected error", to be reported.
TEST_F(CommandLine, AFileWhereAFolderIsToBeIsNamed) {
  std::ofstream(temp_ / "study.yaml")
      << "study:\n  name: s\n  folder: studies\n  config: run.yaml\n"
         "  seeds: [1]\n  variants: [a]\n";
  WithTinyLms();
  std::filesystem::create_directories(temp_ / "studies" / "s");
  std::ofstream(temp_ / "studies" / "s" / "a") << "no folder";
  EXPECT_THAT(
      Londi("study " + (temp_ / "study.yaml").string()),
      Complains(1, "cannot use " + (temp_ / "studies" / "s" / "a").string(), "in its place"));
}

TEST_F(CommandLine, AnAttackOnARunThatNothingCanHappenToIsRefused) {
  const std::string chaos = "chaos --minutes 0.09 " + WithTinyLms();
  EXPECT_THAT(Londi(chaos + " --set run.lock_step=10 --set learner.max_updates=20"
                            " --set evaluation.threads=1"),
              Complains(2, "run.lock_step is 10 in an attack", "run.lock_step=0"));
  EXPECT_THAT(Londi(chaos + " --set run.rows_from=former"),
              Complains(2, "former in an attack", "without run.rows_from"));
  EXPECT_FALSE(std::filesystem::exists(temp_ / "runs"));
}

TEST_F(CommandLine, PrintsTheOptionsOfAFinetuning) {
  const auto defaults = Londi("config print --finetune");
  EXPECT_EQ(defaults.status, 0);
  EXPECT_THAT(defaults.output,
              AllOf(HasSubstr("finetune.steps"),
                    HasSubstr("model.hidden_size"),
                    ::testing::Not(HasSubstr("run.num_actors"))));
  const std::string file = Config("finetune: {output: lm, steps: 17}\nmodel: {num_layers: 3}\n");
  const auto read = Londi("config print " + file + " --set model.num_layers=4");
  EXPECT_EQ(read.status, 0) << read.output;
  EXPECT_THAT(read.output,
              AllOf(ContainsRegex("finetune.steps += 17"), ContainsRegex("model.num_layers += 4")));
  EXPECT_THAT(Londi("config print --yaml " + file).output, HasSubstr("steps: 17"));
  EXPECT_THAT(Londi("config print " + Config("finetune: {stepz: 17}\n")),
              Complains(2, "run.yaml:1", "did you mean 'finetune.steps'"));
}

TEST_F(CommandLine, PrintsTheOptionsOfAStudy) {
  const auto defaults = Londi("config print --study");
  EXPECT_EQ(defaults.status, 0);
  EXPECT_THAT(defaults.output,
              AllOf(HasSubstr("study.variants"), ::testing::Not(HasSubstr("run.num_actors"))));
  Config("run: {seed: 1}\n");
  const std::string file = (temp_ / "study.yaml").string();
  std::ofstream(file) << "study: {config: run.yaml, seeds: [1, 2], variants: [plain]}\n";
  const auto read = Londi("config print " + file + " --set study.episodes=17");
  EXPECT_EQ(read.status, 0) << read.output;
  EXPECT_THAT(read.output, ContainsRegex("study.episodes += 17"));
  EXPECT_THAT(Londi("config print --yaml " + file).output, HasSubstr("variants: [\"plain\"]"));
  EXPECT_EQ(Londi("config print --study --finetune").status, 2);
}

TEST_F(CommandLine, AMisspeltKeyIsAnsweredWithTheCommandThatPrintsItsKind) {
  EXPECT_THAT(Londi("config print --set run.sede=1"),
              Complains(2, "did you mean 'run.seed'", "`londi config print`"));
  EXPECT_THAT(Londi("config print --finetune --set finetune.stepz=1"),
              Complains(2, "did you mean 'finetune.steps'", "`londi config print --finetune`"));
  EXPECT_THAT(Londi("config print --study --set study.sedes=[1]"),
              Complains(2, "did you mean 'study.seeds'", "`londi config print --study`"));
}

TEST_F(CommandLine, ABrokenModelEndsTheRunNamingTheRole) {
  const std::string config = Config(WithModels());
  EXPECT_THAT(Londi("train " + config), Complains(2, "inference.", "--resume"));
}

TEST_F(CommandLine, ATruncatedModelFileIsNamed) {
  const std::string config = WithTinyLms();
  const auto weights = temp_ / "deepthink" / "model.safetensors";
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) / 2);
  EXPECT_THAT(Londi("train --in-process " + config), Complains(2, "model.safetensors", "obtain"));
  // The same in a process of its own: the run ends, and says whose fault it is.
  EXPECT_THAT(Londi("train " + config), Complains(2, "inference.deepthink.0", "model.safetensors"));
}

TEST_F(CommandLine, AMissingModelFileIsNamed) {
  const std::string config = WithTinyLms();
  std::filesystem::remove(temp_ / "quick" / "model.safetensors");
  EXPECT_THAT(Londi("train --in-process " + config), Complains(2, "safetensors", "quick"));
}

TEST_F(CommandLine, ATokenizerThatIsNotSupportedIsNamed) {
  const std::string config = WithTinyLms();
  const auto tokenizer = temp_ / "quick" / "tokenizer.json";
  std::string text = testing::ReadText(tokenizer);
  text.replace(text.find("\"BPE\""), 5, "\"Unigram\"");
  testing::WriteText(tokenizer, text);
  EXPECT_THAT(Londi("train --in-process " + config), Complains(2, "tokenizer.json", "Unigram"));
}

TEST_F(CommandLine, AGpuThatIsNotThereIsNamedWithTheWayOut) {
  const std::string config = WithTinyLms();
  EXPECT_THAT(Londi("train --in-process " + config + " --set quick.device=cuda:77"),
              Complains(1, "quick.device is 'cuda:77'", "set quick.device to auto or cpu"));
  EXPECT_THAT(Londi("train --in-process " + config + " --set deepthink.device=tpu"),
              Complains(2, "deepthink.device is 'tpu'", "auto, cpu, cuda"));
}

TEST_F(CommandLine, AnUnknownEnvironmentNamesTheKnownOnes) {
  EXPECT_THAT(Londi("config print --set environment.id=babyai/GoToLocl"),
              Complains(2, "babyai/GoToLocl", "babyai/GoToLocal"));
}

TEST_F(CommandLine, TracesAnEpisodeLineByLine) {
  const auto trace = Londi("env trace babyai/GoToLocal --seed 7 --policy bot");
  EXPECT_EQ(trace.status, 0);
  EXPECT_THAT(trace.output, AllOf(HasSubstr("\"mission\""), HasSubstr("\"terminated\":true")));
}

}  // namespace
}  // namespace londi::launch
