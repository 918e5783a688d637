#include "launch/run_invariants.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "core/budget.h"
#include "launch/progress_totals.h"
#include "learner/replay/relabel.h"
#include "learner/replay/segment_log.h"
#include "transport/spool_journal.h"

namespace londi::launch {
namespace {

using Json = nlohmann::json;
using Stream = std::pair<std::int64_t, std::int64_t>;  // Actor, incarnation.

constexpr std::size_t kMostNamed = 10;
constexpr std::string_view kActor = "actor.";

// Actors' lives that said goodbye: they had handed over their rows. Killed ones take along what
// they had not.
std::set<Stream> LivesThatLeft(const RunFolder& folder) {
  std::set<Stream> lives;
  std::ifstream in(folder.events());
  for (std::string line; std::getline(in, line);) {
    const Json event = Json::parse(line, nullptr, false);
    if (!event.is_object() || event.value("event", "") != "member_left") continue;
    const std::string name = event.value("name", "");
    if (!name.starts_with(kActor)) continue;
    lives.insert(
        {std::stoll(name.substr(kActor.size())), event.value("incarnation", std::int64_t{0})});
  }
  return lives;
}

// How far a stream has come: in the log, and behind that in the spool that a killed actor left.
std::int64_t Kept(const RunFolder& folder, Stream stream, std::int64_t stored) {
  for (const auto& file :
       transport::FindSpoolJournals(folder.spool(), core::ActorId(stream.first))) {
    const auto rows = transport::ReadSpoolJournal(file);
    if (rows.empty() || rows.front().incarnation.value != stream.second) continue;
    if (rows.front().sequence.value <= stored + 1) {
      stored = std::max(stored, rows.back().sequence.value);
    }
  }
  return stored;
}

// What lives that left have reported must be in the log. With a spool on disk what the others have
// reported must be kept, but for the decision that each of their episodes had just taken.
void CheckHandedOver(const RunFolder& folder,
                     const configs::RunConfig& config,
                     const std::map<Stream, std::int64_t>& streams,
                     std::vector<std::string>& violations) {
  std::ifstream in(folder.progress());
  const Json progress = Json::parse(in, nullptr, false);
  if (!progress.is_object()) return;
  const std::set<Stream> left = LivesThatLeft(folder);
  const bool on_disk = config.transport.spool == transport::SpoolKind::kDisk;
  for (const Json& life : progress.at("lives")) {
    const std::string name = life.at("name");
    if (!name.starts_with(kActor)) continue;
    const Stream stream(std::stoll(name.substr(kActor.size())), life.at("incarnation"));
    const Json& counters = life.at("counters");
    const std::int64_t decisions = counters.value(counter::kDecisions, std::int64_t{0}) -
                                   counters.value(counter::kBoundaryDecisions, std::int64_t{0});
    const auto found = streams.find(stream);
    const std::int64_t stored = found == streams.end() ? 0 : found->second;
    const bool in_peace = left.contains(stream);
    if (in_peace && stored < decisions) {
      violations.push_back(
          fmt::format("{} (life {}) decided {} times and left, {} rows are in the log",
                      name,
                      stream.second,
                      decisions,
                      stored));
    } else if (on_disk && !in_peace) {
      const std::int64_t kept = Kept(folder, stream, stored);
      if (kept + config.actor.episodes >= decisions) continue;
      violations.push_back(
          fmt::format("{} (life {}) decided {} times and was killed, {} rows are in the log or its "
                      "spool",
                      name,
                      stream.second,
                      decisions,
                      kept));
    }
  }
}

void CheckMetrics(const RunFolder& folder, std::vector<std::string>& violations) {
  std::map<std::pair<std::string, std::int64_t>, double> weights;  // By role and pid.
  std::map<std::pair<std::string, std::int64_t>, double> lost, overspent;
  std::ifstream in(folder.metrics());
  for (std::string text; std::getline(in, text);) {
    const Json line = Json::parse(text, nullptr, false);
    if (!line.is_object() || !line.contains("metrics")) continue;  // Torn by a kill.
    const std::pair life(line.value("role", ""), line.value("pid", std::int64_t{0}));
    const Json& metrics = line.at("metrics");
    lost[life] = metrics.value("londi_rows_lost_total", 0.0);
    overspent[life] = metrics.value("londi_actor_budget_violations_total", 0.0);
    const double version = metrics.value("londi_weights_version", 0.0);
    if (version < weights[life]) {
      violations.push_back(
          fmt::format("{} went back from weights v{} to v{}", life.first, weights[life], version));
    }
    weights[life] = version;
  }
  const auto check = [&](const auto& counts, const char* what) {
    for (const auto& [life, count] : counts) {
      if (count > 0) violations.push_back(fmt::format("{} counted {} {}", life.first, count, what));
    }
  };
  check(lost, "rows that were acknowledged and are not in the log");
  check(overspent, "episodes that spent more than their budget");
}

// A role's command line ends with its run folder (process_job.cc).
void CheckOrphans(const RunFolder& folder, std::vector<std::string>& violations) {
  const std::string mark = std::string("--run") + '\0' + folder.path.string() + '\0';
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    std::ifstream in(entry.path() / "cmdline", std::ios::binary);
    const std::string line{std::istreambuf_iterator<char>(in), {}};
    if (!line.ends_with(mark)) continue;
    violations.push_back(
        fmt::format("process {} of the run is left", entry.path().filename().string()));
  }
}

}  // namespace

void RowInvariants::Violate(const learner::StoredRow& row, const std::string& what) {
  ++num_violations_;
  if (violations_.size() >= kMostNamed) return;
  violations_.push_back(fmt::format("row {} (actor {}, life {}, sequence {}): {}",
                                    row.number,
                                    row.actor,
                                    row.incarnation,
                                    row.sequence,
                                    what));
}

void RowInvariants::CheckSequence(const learner::StoredRow& row) {
  const auto [last, is_new] = last_sequence_.try_emplace({row.actor, row.incarnation}, 0);
  const bool late = is_new && may_begin_late_;
  if (!late && row.sequence <= last->second) {
    Violate(row, fmt::format("is there twice, {} came before", last->second));
  } else if (!late && row.sequence != last->second + 1) {
    Violate(row, fmt::format("follows {}: rows are missing", last->second));
  }
  last->second = std::max(last->second, row.sequence);
}

void RowInvariants::CheckBudget(const learner::StoredRow& row, const EpisodeSoFar* before) {
  constexpr std::int32_t kUnlimited = core::BudgetGovernor::kUnlimited;
  if (row.remaining < 0 && row.remaining != kUnlimited) Violate(row, "its budget is below 0");
  if (row.activated() && row.remaining == 0) {
    Violate(row, "activates with nothing left");
  } else if (row.activated() && !learner::Affords(row.remaining, row.price())) {
    Violate(row, fmt::format("spends {} with {} left", row.price(), row.remaining));
  }
  if (before == nullptr || before->step + 1 != row.step) return;
  const std::int32_t expected = learner::Spend(before->remaining, before->spent);
  if (row.remaining != expected)
    Violate(row, fmt::format("has {} left of its budget instead of {}", row.remaining, expected));
}

void RowInvariants::Add(const learner::StoredRow& row) {
  ++num_rows_;
  CheckSequence(row);
  const std::pair episode(std::pair(row.actor, row.incarnation), row.episode);
  const auto found = open_.find(episode);
  CheckBudget(row, found == open_.end() ? nullptr : &found->second);
  if (found != open_.end() && row.weights < found->second.weights) {
    Violate(row,
            fmt::format("acted with weights v{} after v{}", row.weights, found->second.weights));
  }
  if (row.ends_episode()) {
    open_.erase(episode);
  } else {
    open_[episode] = {row.step, row.remaining, row.activated() ? row.price() : 0, row.weights};
  }
}

InvariantReport CheckInvariants(const RunFolder& folder, const configs::RunConfig& config) {
  learner::SegmentLog log(folder.transitions(), config.transition_log);
  log.VerifyOlder();
  RowInvariants rows(log.begin() > 0);
  for (std::int64_t number = log.begin(); number < log.end(); ++number) rows.Add(log.row(number));
  InvariantReport report{.rows = rows.num_rows(),
                         .streams = std::ssize(rows.streams()),
                         .violations = rows.violations()};
  if (rows.num_violations() > std::ssize(rows.violations())) {
    report.violations.push_back(fmt::format("{} more violations by rows",
                                            rows.num_violations() - std::ssize(rows.violations())));
  }
  if (rows.num_rows() == 0) report.violations.push_back("the log has no row: nothing was tested");
  CheckHandedOver(folder, config, rows.streams(), report.violations);
  CheckMetrics(folder, report.violations);
  CheckOrphans(folder, report.violations);
  return report;
}

}  // namespace londi::launch
