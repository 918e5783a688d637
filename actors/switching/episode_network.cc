#include "actors/switching/episode_network.h"

#include <algorithm>
#include <utility>

namespace londi::actors {

void EpisodeNetwork::Load(std::shared_ptr<const core::WeightsSnapshot> weights) {
  network_ = MlpNetwork(std::move(weights));
  memory_.clear();
}

void EpisodeNetwork::StartEpisode() {
  rows_.clear();
  first_ = step_ = 0;
  memory_.clear();
}

core::switcher_network::Values EpisodeNetwork::Evaluate(const core::SwitcherInput& input) {
  const std::span<const float> memory = Remember(input.features);
  return is_empty() ? core::switcher_network::Values{} : network_.Evaluate(input, memory, scratch_);
}

std::span<const float> EpisodeNetwork::Remember(std::span<const float> features) {
  const int step = step_++;
  if (!is_empty() && network_.memory_width() == 0) {
    rows_.clear();
    first_ = step_;
    return {};
  }
  rows_.emplace_back(features.begin(), features.end());
  if (is_empty()) return {};

  const int start = core::switcher_network::MemoryStart(step, network_.memory_window());
  if (first_ < start) {
    rows_.erase(rows_.begin(), rows_.begin() + (start - first_));
    first_ = start;
    memory_.clear();
  }
  if (memory_.empty()) {
    memory_.assign(static_cast<std::size_t>(network_.memory_width()), 0.0f);
    read_ = first_;
  }
  for (; read_ <= step; ++read_)
    network_.Remember(rows_[static_cast<std::size_t>(read_ - first_)], memory_, scratch_);
  return memory_;
}

}  // namespace londi::actors
