// Updates per second of the learner and where their time goes, on one machine and in one minute
// with stable-baselines3's DQN.
//
//   bench_update [SECONDS [THREADS [PYTHON]]]
//
// 512 network inputs, 256 x 3, batch 512. "plain" is the peer's problem: Q-learning of one step, no
// tower; "default" learns what the shipped configuration learns, "shipped" is the same
// with as many features as its LM pair has. PYTHON has
// stable-baselines3 (see update_sb3.py); without it there is no peer row. Ours and the peer take
// turns, and medians over the turns are printed. CSV rows:
//
//   peak,THREADS,GFLOP/s                         best fp32 matrix product of several sizes
//   update,NAME,THREADS,updates/s,ms sample,ms choose (windows, relabelling),ms gather,
//     ms targets,ms forward,ms backward,ms optimizer,ms priorities,share of the time in targets,
//     forward, backward and optimizer,matrix products' GFLOP/s in targets, forward and backward,
//     share of the peak
//   peer,stable-baselines3,THREADS,updates/s,ratio of plain's
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/switcher_features.h"
#include "core/switcher.h"
#include "core/switcher_network.h"
#include "learner/algorithms/make_algorithm.h"
#include "learner/batch.h"
#include "learner/matrix_products.h"
#include "learner/replay/replay.h"
#include "tests/bench/learner/bench_rows.h"
#include "tests/bench/support/figures.h"
#include "tests/bench/support/peer_process.h"
#include "tests/support/temp_folder.h"

namespace {

using namespace londi;
using bench::Clock;
using bench::SecondsSince;

constexpr int kFeatures = 512 - core::kNumContextInputs;
constexpr int kRows = 200'000;  // 225 MB: more than any cache.
constexpr int kRounds = 5;

double PeakGflops() {
  const at::NoGradGuard no_gradient;
  double best = 0;
  for (const std::int64_t size : {512, 768, 1024, 1536}) {
    const at::Tensor a = at::rand({size, size}), b = at::rand({size, size});
    at::Tensor out = at::mm(a, b);
    for (int i = 0; i < 20; ++i) {
      const auto begin = Clock::now();
      at::mm_out(out, a, b);
      best = std::max(best, 2e-9 * static_cast<double>(size * size * size) / SecondsSince(begin));
    }
  }
  return best;
}

struct Configuration {
  std::string name;
  int num_features = kFeatures;
  int n_step = 1;
  learner::BatchOptions batch;
  learner::DqnOptions dqn;
};

Configuration Plain() {
  Configuration plain{.name = "plain"};
  plain.batch.agreement_rows = false;
  plain.dqn.disagreement_width = 0;
  return plain;
}

// As configs/babyai_text.yaml.
Configuration Default() {
  Configuration shipped{.name = "default", .n_step = 5};
  shipped.batch.relabel.unlimited = 0.4;
  return shipped;
}

// The same with the features of the shipped LM pair.
Configuration Shipped() {
  Configuration shipped = Default();
  shipped.name = "shipped";
  shipped.num_features = actors::NumFeatures(/*hidden=*/24);
  return shipped;
}

// Multiplications of one row's way through the network.
double RowProducts(const Configuration& configuration) {
  const learner::DqnOptions& dqn = configuration.dqn;
  const double features = configuration.num_features;
  const auto width = static_cast<double>(dqn.network.width), tower = double(dqn.disagreement_width);
  const double trunk_inputs =
      features + core::kNumContextInputs + (dqn.disagreement_width > 0 ? 2 : 0);
  constexpr int kHeads = 6;
  return trunk_inputs * width + (dqn.network.layers - 1) * width * width + kHeads * width +
         (tower > 0 ? features * tower + tower * tower + tower : 0);
}

// Gradients of the weights, and of the inputs but the first layers'.
double RowGradientProducts(const Configuration& configuration) {
  const double features = configuration.num_features;
  return 2 * RowProducts(configuration) -
         (features + core::kNumContextInputs) * double(configuration.dqn.network.width) -
         features * double(configuration.dqn.disagreement_width);
}

// Seconds of each part, summed up.
struct Parts {
  double sample = 0, choose = 0, gather = 0, targets = 0, forward = 0, backward = 0, optimizer = 0,
         priorities = 0, products = 0;  // Multiplications of the matrix products.
  int updates = 0;

  double network() const { return targets + forward + backward + optimizer; }
  double all() const { return sample + choose + gather + network() + priorities; }
};

class OurLearner {
 public:
  OurLearner(const learner::SegmentLog& log, Configuration configuration)
      : configuration_(std::move(configuration)),
        replay_(log, {.capacity = kRows}, configuration_.n_step),
        dqn_(learner::MakeDqn(configuration_.dqn, configuration_.num_features, "cpu", 1)) {
    replay_.CatchUp(log.end());
  }

  const std::string& name() const { return configuration_.name; }

  Parts Run(double seconds) {
    Parts parts;
    for (const auto begin = Clock::now(); SecondsSince(begin) < seconds;) Update(parts);
    return parts;
  }

 private:
  void Update(Parts& parts) {
    auto begin = Clock::now();
    const auto lap = [&begin] {
      const double passed = SecondsSince(begin);
      begin = Clock::now();
      return passed;
    };
    replay_.Sample(configuration_.batch.batch_size, 0.4, random_, samples_);
    parts.sample += lap();
    learner::ChooseRows(replay_, samples_, configuration_.batch, random_, batch_);
    parts.choose += lap();
    learner::GatherInputs(replay_.log(), batch_);
    parts.gather += lap();
    const learner::UpdateResult result = dqn_->Update(batch_);
    lap();
    replay_.UpdatePriorities(samples_.rows, result.errors);
    parts.priorities += lap();
    parts.targets += result.targets_ms * 1e-3;
    parts.forward += result.forward_ms * 1e-3;
    parts.backward += result.backward_ms * 1e-3;
    parts.optimizer += result.optimizer_ms * 1e-3;
    parts.products +=
        static_cast<double>(result.rows_forward + batch_.num_states) * RowProducts(configuration_) +
        static_cast<double>(batch_.num_states) * RowGradientProducts(configuration_);
    ++parts.updates;
  }

  const Configuration configuration_;
  learner::Replay replay_;
  std::unique_ptr<learner::Algorithm> dqn_;
  learner::Random random_{1};
  learner::Replay::Samples samples_;
  learner::Batch batch_;
};

// Of one learner's rounds.
struct Rounds {
  std::vector<double> rates, shares_of_peak;
  Parts sum;

  void Add(const Parts& parts, double peak) {
    rates.push_back(parts.updates / parts.all());
    shares_of_peak.push_back(Gflops(parts) / peak);
    sum.sample += parts.sample;
    sum.choose += parts.choose;
    sum.gather += parts.gather;
    sum.targets += parts.targets;
    sum.forward += parts.forward;
    sum.backward += parts.backward;
    sum.optimizer += parts.optimizer;
    sum.priorities += parts.priorities;
    sum.products += parts.products;
    sum.updates += parts.updates;
  }
  static double Gflops(const Parts& parts) {
    return 2e-9 * parts.products / (parts.targets + parts.forward + parts.backward);
  }
  void Print(const std::string& name) const {
    const double ms = 1e3 / sum.updates;
    std::printf("update,%s,%d,%.1f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.2f,%.1f,%.2f\n",
                name.c_str(),
                at::get_num_threads(),
                bench::Median(rates),
                sum.sample * ms,
                sum.choose * ms,
                sum.gather * ms,
                sum.targets * ms,
                sum.forward * ms,
                sum.backward * ms,
                sum.optimizer * ms,
                sum.priorities * ms,
                sum.network() / sum.all(),
                Gflops(sum),
                bench::Median(shares_of_peak));
  }
};

void Fill(learner::SegmentLog& log, int num_features) {
  bench::RowSource source(num_features);
  std::vector<core::Transition> rows(1000);
  for (int i = 0; i < kRows; i += 1000) {
    source.Fill(rows);
    log.Append(rows);
    log.Commit();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 3;
  const int threads = argc > 2 ? std::atoi(argv[2]) : 1;
  at::set_num_threads(threads);
  learner::ChooseMatrixProducts();
  std::optional<bench::PeerProcess> peer;
  if (argc > 3) {
    peer.emplace(std::vector<std::string>{
        argv[3], LONDI_BENCH_SOURCE "/update_sb3.py", std::to_string(threads)});
  }
  const testing::TempFolder folder;
  std::map<int, std::unique_ptr<learner::SegmentLog>> logs;  // By number of features.
  std::vector<std::unique_ptr<OurLearner>> learners;
  for (const Configuration& configuration : {Plain(), Default(), Shipped()}) {
    const int num_features = configuration.num_features;
    if (!logs.contains(num_features)) {
      logs[num_features] = std::make_unique<learner::SegmentLog>(
          folder / std::to_string(num_features), learner::SegmentLogOptions{});
      Fill(*logs[num_features], num_features);
    }
    learners.push_back(std::make_unique<OurLearner>(*logs[num_features], configuration));
  }
  std::vector<Rounds> rounds(learners.size());
  std::vector<double> peaks, peer_rates, ratios;
  for (int round = -1; round < kRounds; ++round) {  // The first is warm-up.
    const double peak = PeakGflops();
    for (std::size_t i = 0; i < learners.size(); ++i) {
      const Parts parts = learners[i]->Run(seconds);
      if (round >= 0) rounds[i].Add(parts, peak);
    }
    const double peer_rate = peer ? peer->Ask(std::to_string(seconds)).at(0) : 0;
    if (round < 0) continue;
    peaks.push_back(peak);
    peer_rates.push_back(peer_rate);
    ratios.push_back(rounds[0].rates.back() / peer_rate);
  }
  std::printf("peak,%d,%.1f\n", threads, bench::Median(peaks));
  for (std::size_t i = 0; i < learners.size(); ++i) rounds[i].Print(learners[i]->name());
  if (peer) {
    std::printf("peer,stable-baselines3,%d,%.1f,%.2f\n",
                threads,
                bench::Median(peer_rates),
                bench::Median(ratios));
  }
}
