#include "configs/study_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <string_view>

#include "core/error.h"

namespace londi::configs {
void Bind(StudyConfig& config, OptionTable& table) {
  table.Section("study", "Many runs to be compared");
  table.Add("study.name", config.name, {.meaning = "Names the study's folder"});
  table.Add("study.folder", config.folder, {.meaning = "It is made in this folder"});
  table.Add("study.config", config.config, {.meaning = "Configuration of all runs"});
  table.Add("study.set", config.sets, {.meaning = "Changes of it in all runs, section.key=value"});
  table.Add("study.rows_from",
            config.rows_from,
            {.meaning = "A variant's folder in a former study: the runs learn, seed by seed, from "
                        "the rows of its runs and act not at all; empty = act"});
  table.Add("study.seeds", config.seeds, {.meaning = "run.seed of the runs", .min = 0});
  table.Add(
      "study.variants",
      config.variants,
      {.meaning = "What is compared: a name, then the changes it makes, with blanks between"});
  table.Add("study.only",
            config.only,
            {.meaning = "Names of the variants that are worked on and reported; empty = all"});
  table.Add("study.also",
            config.also,
            {.meaning = "Where the same runs are evaluated too, for tables of their own: a name, "
                        "then what is changed"});
  table.Add("study.episodes",
            config.episodes,
            {.meaning = "Unseen episodes per policy",
             .unit = "episodes",
             .min = 1,
             .max = static_cast<double>(actors::kNumEvaluationSeeds)});
  table.Add("study.oracle",
            config.oracle,
            {.meaning = "Also the best plan of each episode in hindsight, once for all runs"});
  table.Add(
      "study.margin",
      config.margin,
      {.meaning = "Success within so much of always-deepthink's is as good", .min = 0, .max = 1});
  table.Add("study.resamples",
            config.resamples,
            {.meaning = "Of the bootstrap that makes the intervals", .min = 1, .max = 1e6});
}

namespace {

[[noreturn]] void Refuse(std::string what, std::string why, std::string fix) {
  throw core::ConfigError({.what = std::move(what), .why = std::move(why), .fix = std::move(fix)});
}

bool IsName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_';
  });
}

// All of `texts` of the option `key`. Throws unless their names are different names.
std::vector<NamedSets> Parse(const std::vector<std::string>& texts,
                             std::string_view key,
                             std::string_view example) {
  std::vector<NamedSets> parsed;
  std::set<std::string> names;
  for (const std::string& text : texts) {
    std::istringstream in(text);
    NamedSets one;
    in >> one.name;
    for (std::string set; in >> set;) one.sets.push_back(set);
    if (!IsName(one.name)) {
      Refuse(fmt::format("{} has '{}'", key, text),
             "each is a name of letters, digits, '-' and '_', then section.key=value texts",
             fmt::format("for example '{}'", example));
    }
    if (!names.insert(one.name).second) {
      Refuse(fmt::format("{} has '{}' twice", key, one.name),
             "each has a folder of its own",
             "give them different names");
    }
    parsed.push_back(std::move(one));
  }
  return parsed;
}

// Runs of a study differ in how the Switcher learns: the LMs, the episodes and the table are one.
void RefuseShared(const NamedSets& variant) {
  for (const std::string& set : variant.sets) {
    for (const std::string_view section : {"environment.", "quick.", "deepthink.", "evaluation."}) {
      if (!set.starts_with(section)) continue;
      Refuse(fmt::format("variant '{}' sets {}", variant.name, set),
             "variants are compared with each other and with one oracle: same LMs, same episodes",
             "put it into study.set, for all variants, or make a study of its own");
    }
  }
}

void KeepOnly(const std::vector<std::string>& names, std::vector<NamedSets>& variants) {
  for (const std::string& name : names) {
    if (std::ranges::find(variants, name, &NamedSets::name) != variants.end()) continue;
    std::vector<std::string> known;
    for (const NamedSets& variant : variants) known.push_back(variant.name);
    Refuse(fmt::format("study.only has '{}'", name),
           "study.variants has none of that name",
           fmt::format("choose among {}", fmt::join(known, ", ")));
  }
  std::erase_if(variants, [&](const NamedSets& variant) {
    return std::ranges::find(names, variant.name) == names.end();
  });
}

// What has been trained cannot be changed afterwards.
void RefuseTraining(const NamedSets& elsewhere) {
  for (const std::string& set : elsewhere.sets) {
    if (set.starts_with("environment.") || set.starts_with("evaluation.")) continue;
    Refuse(fmt::format("study.also has '{}', which sets {}", elsewhere.name, set),
           "it says where the runs that were trained are evaluated, too",
           "set environment.* and evaluation.* there; what trains otherwise is a variant");
  }
}

// What the study itself decides.
void RefuseOwn(const std::vector<std::string>& sets) {
  for (const std::string& set : sets) {
    for (const std::string_view key : {"run.seed=", "run.folder=", "run.name="}) {
      if (!set.starts_with(key)) continue;
      Refuse(fmt::format("the study sets {}", set),
             "a study gives every run its seed and its folder",
             "leave it out; study.seeds, study.folder and study.name are there");
    }
  }
}

}  // namespace

std::vector<NamedSets> StudyConfig::ParsedVariants() const {
  std::vector<NamedSets> parsed =
      Parse(variants, "study.variants", "no-relabelling learner.relabel.enabled=false");
  for (const NamedSets& variant : parsed) {
    RefuseShared(variant);
    RefuseOwn(variant.sets);
  }
  if (!only.empty()) KeepOnly(only, parsed);
  return parsed;
}

std::vector<NamedSets> StudyConfig::ParsedEvaluations() const {
  std::vector<NamedSets> all = {NamedSets{}};
  for (NamedSets& one : Parse(also, "study.also", "test environment.id=babyai/MixedTest")) {
    RefuseTraining(one);
    all.push_back(std::move(one));
  }
  return all;
}

std::vector<std::string> StudyConfig::SetsOf(const NamedSets& variant,
                                             std::int32_t seed,
                                             const std::filesystem::path& run_folder) const {
  std::vector<std::string> all = sets;
  if (!rows_from.empty())
    all.push_back("run.rows_from=" + (rows_from / fmt::format("seed-{}", seed)).string());
  all.insert(all.end(), variant.sets.begin(), variant.sets.end());
  all.push_back(fmt::format("run.seed={}", seed));
  all.push_back("run.name=run");
  all.push_back("run.folder=" + run_folder.string());
  return all;
}

void StudyConfig::Validate() const {
  if (!IsName(name)) {
    Refuse(fmt::format("study.name is '{}'", name),
           "it names a folder",
           "use letters, digits, '-' and '_'");
  }
  if (config.empty()) {
    Refuse("study.config is not set",
           "a study's runs have a configuration",
           "name one, for example --set study.config=configs/babyai_text.yaml");
  }
  if (seeds.empty()) {
    Refuse("study.seeds is empty",
           "a study trains each variant once per seed",
           "name them, for example --set study.seeds=[1,2,3,4,5]");
  }
  if (std::set<std::int32_t>(seeds.begin(), seeds.end()).size() != seeds.size()) {
    Refuse("study.seeds has a seed twice",
           "the same run counted twice looks like agreement",
           "use different seeds");
  }
  if (variants.empty()) {
    Refuse("study.variants is empty",
           "there is nothing to train",
           "name at least one, for example --set study.variants=[switcher]");
  }
  RefuseOwn(sets);
  for (const NamedSets& variant : ParsedVariants()) {
    for (const NamedSets& where : ParsedEvaluations()) {
      if (where.name == variant.name) {
        Refuse(fmt::format("'{}' stands in study.variants and in study.also", where.name),
               "each has a folder of its own",
               "give them different names");
      }
      std::vector<std::string> all = SetsOf(variant, seeds.front(), folder);
      all.insert(all.end(), where.sets.begin(), where.sets.end());
      try {
        static_cast<void>(LoadRunConfig(config, all));
      } catch (const core::ConfigError& error) {
        core::ErrorText text = error.text();
        text.what = fmt::format("variant '{}'{}: {}",
                                variant.name,
                                where.name.empty() ? "" : " in '" + where.name + "'",
                                text.what);
        throw core::ConfigError(text);
      }
    }
  }
}

StudyConfig LoadStudyConfig(const std::filesystem::path& file,
                            const std::vector<std::string>& sets) {
  StudyConfig config;
  OptionTable table(kPrintStudyOptions);
  Bind(config, table);
  table.ReadFile(file);
  for (const std::string& set : sets) table.Set(set);
  config.Validate();
  return config;
}

}  // namespace londi::configs
