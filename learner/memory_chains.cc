#include "learner/memory_chains.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "core/switcher_network.h"

namespace londi::learner {

void MemoryChainMaker::Add(std::span<const std::int64_t> past,
                           std::int32_t first_step,
                           std::span<const std::int64_t> window,
                           int memory_window) {
  std::vector<std::int64_t> line(past.begin(), past.end());
  line.insert(line.end(), window.begin() + 1, window.end());
  std::vector<Place>& places = windows_.emplace_back();
  std::size_t chain_from = line.size();  // No chain yet.
  for (std::size_t i = past.size() - 1; i < line.size(); ++i) {
    const int step = first_step + static_cast<int>(i);
    const int start = core::switcher_network::MemoryStart(step, memory_window);
    const auto from = static_cast<std::size_t>(std::max(start - first_step, 0));
    if (from == chain_from) {
      chains_.back().push_back(line[i]);
    } else {
      chains_.emplace_back(line.begin() + static_cast<std::ptrdiff_t>(from),
                           line.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      chain_from = from;
    }
    places.push_back({chains_.size() - 1, i - from});
  }
}

void MemoryChainMaker::Want(std::size_t window, std::size_t index) {
  wanted_.push_back(windows_[window][index]);
}

void MemoryChainMaker::Finish(MemoryChains& out) const {
  std::vector<std::size_t> order(chains_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, std::ranges::greater(), [&](std::size_t chain) { return chains_[chain].size(); });
  std::vector<std::int64_t> rank(chains_.size());
  for (std::size_t i = 0; i < order.size(); ++i) rank[order[i]] = static_cast<std::int64_t>(i);

  out.rows.clear();
  out.num_running.clear();
  std::vector<std::int64_t> first_of_step;
  const std::size_t longest = order.empty() ? 0 : chains_[order[0]].size();
  for (std::size_t step = 0; step < longest; ++step) {
    first_of_step.push_back(static_cast<std::int64_t>(out.rows.size()));
    for (std::size_t i = 0; i < order.size() && chains_[order[i]].size() > step; ++i)
      out.rows.push_back(chains_[order[i]][step]);
    while (out.rows.size() % MemoryChains::kChainsTogether != 0)
      out.rows.push_back(out.rows.back());
    out.num_running.push_back(static_cast<std::int64_t>(out.rows.size()) - first_of_step.back());
  }
  out.places.clear();
  for (const Place& place : wanted_)
    out.places.push_back(first_of_step[place.step] + rank[place.chain]);
}

}  // namespace londi::learner
