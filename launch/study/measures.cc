#include "launch/study/measures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "launch/study/statistics.h"

namespace londi::launch::study {
namespace {

using Json = nlohmann::json;

bool DependsOnCost(const Json& cell) {
  const std::string policy = cell.at("policy");
  return policy == "mlp" || policy == "hindsight";
}

PolicyKey ReadKey(const Json& cell) {
  PolicyKey key{.name = cell.at("name")};
  if (const auto average = cell.find("average_calls"); average != cell.end()) {
    key.name += fmt::format(" {:g}", average->at("wanted").get<double>());
    return key;
  }
  // Costs are kept in single precision: 0.01 is to read as it was written.
  if (DependsOnCost(cell))
    key.cost = std::stod(fmt::format("{:.6g}", cell.at("cost").get<double>()));
  if (!cell.at("budget").is_null()) key.budget = cell.at("budget");
  return key;
}

Episode ReadEpisode(const Json& row, double cost) {
  Episode episode{
      .seed = row.at("seed"),
      .kind = row.at("kind"),
      .success = row.at("success"),
      .steps = row.at("steps"),
      .calls = row.at("calls"),
      .tokens = row.at("quick_tokens").get<double>() + row.at("deepthink_tokens").get<double>(),
      .gflops = row.at("quick_gflops").get<double>() + row.at("deepthink_gflops").get<double>(),
      .lm_ms = row.at("lm_ms"),
      .call_steps = row.at("call_steps"),
      .changed_steps = row.at("changed_steps"),
      .call_disagreements = row.at("call_disagreements")};
  episode.value = row.at("return").get<double>() - cost * episode.calls;
  return episode;
}

// Success by kind. Kinds are few: a list is faster than a map.
class KindSums {
 public:
  struct Sum {
    const std::string* kind;
    double successes = 0, episodes = 0;
  };
  void Add(const Episode& episode, double weight) {
    auto found = std::ranges::find_if(sums_, [&](const Sum& s) { return *s.kind == episode.kind; });
    if (found == sums_.end()) found = sums_.insert(found, {&episode.kind});
    found->successes += weight * episode.success;
    found->episodes += weight;
  }
  const std::vector<Sum>& sums() const { return sums_; }

 private:
  std::vector<Sum> sums_;
};

}  // namespace

std::string Text(const PolicyKey& key) {
  std::string text = key.name;
  if (key.cost > 0) text += fmt::format(" c={:.3g}", key.cost);
  if (key.budget >= 0) text += fmt::format(" B={:g}", key.budget);
  return text;
}

Evaluation ReadEvaluation(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) {
    throw core::IoError({.what = "cannot read " + file.string(),
                         .why = "it is not there or not readable",
                         .fix = "run the study again: what is missing is evaluated"});
  }
  try {
    Evaluation evaluation;
    const Json json = Json::parse(in);
    for (const Json& cell : json.at("cells")) {
      const PolicyKey key = ReadKey(cell);
      std::vector<Episode>& episodes = evaluation[key];
      for (const Json& row : cell.at("episodes")) episodes.push_back(ReadEpisode(row, key.cost));
    }
    for (const auto& [key, episodes] : evaluation) {
      const auto& first = evaluation.begin()->second;
      if (episodes.empty() ||
          !std::ranges::equal(episodes, first, {}, &Episode::seed, &Episode::seed))
        throw core::Error({.what = fmt::format("{} has other episodes than {} in {}",
                                               Text(key),
                                               Text(evaluation.begin()->first),
                                               file.string()),
                           .why = "policies are compared on the same episodes",
                           .fix = "delete that file and run the study again"});
    }
    return evaluation;
  } catch (const Json::exception& error) {
    throw core::Error({.what = file.string() + " is no evaluation",
                       .why = error.what(),
                       .fix = "delete it and run the study again: it is made anew"});
  }
}

Weights EqualWeights(std::size_t num_runs, std::size_t num_episodes) {
  return {.runs = std::vector<int>(num_runs, 1), .episodes = std::vector<int>(num_episodes, 1)};
}

Weights Resample(std::size_t num_runs,
                 const std::vector<Episode>& episodes,
                 actors::Random& random) {
  Weights weights{.runs = std::vector<int>(num_runs),
                  .episodes = std::vector<int>(episodes.size())};
  const auto draw = [&random](std::size_t count) {
    return static_cast<std::size_t>(random.Below(static_cast<std::int64_t>(count)));
  };
  for (std::size_t i = 0; i < num_runs; ++i) ++weights.runs[draw(num_runs)];
  std::map<std::string, std::vector<std::size_t>> strata;
  for (std::size_t i = 0; i < episodes.size(); ++i) strata[episodes[i].kind].push_back(i);
  for (const auto& [kind, members] : strata) {
    for (std::size_t i = 0; i < members.size(); ++i)
      ++weights.episodes[members[draw(members.size())]];
  }
  return weights;
}

Measures Measure(const std::vector<const std::vector<Episode>*>& runs, const Weights& weights) {
  Measures sum;
  double steps = 0, episodes = 0;
  std::vector<double> scores;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (weights.runs[r] == 0) continue;
    KindSums kinds;
    for (std::size_t e = 0; e < runs[r]->size(); ++e) {
      const double weight = weights.runs[r] * weights.episodes[e];
      if (weight == 0) continue;
      const Episode& episode = (*runs[r])[e];
      kinds.Add(episode, weight);
      steps += weight * episode.steps;
      sum.calls += weight * episode.calls;
      sum.tokens += weight * episode.tokens;
      sum.gflops += weight * episode.gflops;
      sum.lm_ms += weight * episode.lm_ms;
      sum.value += weight * episode.value;
    }
    for (const KindSums::Sum& kind : kinds.sums()) {
      scores.insert(
          scores.end(), static_cast<std::size_t>(weights.runs[r]), kind.successes / kind.episodes);
      sum.success += kind.successes;
      episodes += kind.episodes;
    }
  }
  sum.call_share = sum.calls / std::max(steps, 1.0);
  for (double* total : {&sum.success, &sum.calls, &sum.tokens, &sum.gflops, &sum.lm_ms, &sum.value})
    *total /= std::max(episodes, 1.0);
  sum.success_iqm = InterquartileMean(std::move(scores));
  return sum;
}

std::map<std::string, std::vector<double>> SuccessByKind(
    const std::vector<const std::vector<Episode>*>& runs) {
  std::map<std::string, std::vector<double>> scores;
  for (const auto* run : runs) {
    KindSums kinds;
    for (const Episode& episode : *run) kinds.Add(episode, 1);
    for (const KindSums::Sum& kind : kinds.sums())
      scores[*kind.kind].push_back(kind.successes / kind.episodes);
  }
  return scores;
}

std::vector<CalibrationBin> Calibration(const std::vector<const std::vector<Episode>*>& runs) {
  std::vector<CalibrationBin> bins(10);
  double calls = 0;
  bool predicts = false;
  for (const auto* run : runs) {
    for (const Episode& episode : *run) {
      for (std::size_t i = 0; i < episode.call_steps.size(); ++i) {
        const double predicted = episode.call_disagreements[i];
        CalibrationBin& bin = bins[static_cast<std::size_t>(std::clamp(10 * predicted, 0.0, 9.0))];
        ++bin.share;
        bin.predicted += predicted;
        bin.found += std::ranges::count(episode.changed_steps, episode.call_steps[i]);
        ++calls;
        predicts = predicts || predicted != 1;
      }
    }
  }
  if (!predicts) return {};
  std::erase_if(bins, [](const CalibrationBin& bin) { return bin.share == 0; });
  for (CalibrationBin& bin : bins) {
    bin.predicted /= bin.share;
    bin.found /= bin.share;
    bin.share /= calls;
  }
  return bins;
}

double CalibrationError(const std::vector<CalibrationBin>& bins) {
  double error = 0;
  for (const CalibrationBin& bin : bins) error += bin.share * std::abs(bin.predicted - bin.found);
  return error;
}

std::vector<double> CallPositions(const std::vector<const std::vector<Episode>*>& runs) {
  std::vector<double> shares(10, 0.0);
  double calls = 0;
  for (const auto* run : runs) {
    for (const Episode& episode : *run) {
      for (const std::int32_t step : episode.call_steps) {
        ++shares[static_cast<std::size_t>(10 * step / episode.steps)];
        ++calls;
      }
    }
  }
  if (calls == 0) return {};
  for (double& share : shares) share /= calls;
  return shares;
}

}  // namespace londi::launch::study
