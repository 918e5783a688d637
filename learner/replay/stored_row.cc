#include "learner/replay/stored_row.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "transport/crc32c.h"

namespace londi::learner {
namespace {

constexpr std::int64_t kRowAlignment = 16;
constexpr std::int64_t kRowsPerScan = 64;

// Of all bytes of each row that follow its crc, which is at its beginning.
std::vector<std::uint32_t> CrcsOfRows(std::span<const std::byte> rows, std::int64_t stride) {
  std::vector<std::uint32_t> crcs(rows.size() / static_cast<std::size_t>(stride));
  transport::Crc32cOfEach(rows, sizeof(StoredRow::crc), crcs);
  for (std::uint32_t& crc : crcs) crc = crc == 0 ? 1 : crc;
  return crcs;
}

bool IsWholeRow(const std::byte* bytes, std::int64_t number, std::uint32_t crc) {
  StoredRow row;
  std::memcpy(&row, bytes, sizeof(row));
  return row.crc == crc && row.number == number;
}

}  // namespace

std::int64_t StrideOf(int num_features) {
  const auto bytes = static_cast<std::int64_t>(sizeof(StoredRow)) + 2LL * num_features;
  return (bytes + kRowAlignment - 1) / kRowAlignment * kRowAlignment;
}

void StoreRow(const core::Transition& row, std::int64_t number, std::span<std::byte> to) {
  StoredRow stored;
  stored.flags = (row.activated ? StoredRow::kActivated : 0) |
                 (row.may_activate ? StoredRow::kMayActivate : 0) |
                 (row.terminated ? StoredRow::kTerminated : 0) |
                 (row.truncated ? StoredRow::kTruncated : 0) |
                 (row.gain ? StoredRow::kBranched : 0);
  stored.number = number;
  stored.actor = static_cast<std::int32_t>(row.actor.value);
  stored.incarnation = row.incarnation.value;
  stored.sequence = row.sequence.value;
  stored.episode = row.episode.value;
  stored.step = row.step;
  stored.steps_left = row.steps_left;
  stored.quick_action = row.quick_action;
  stored.deepthink_action = row.deepthink_action;
  stored.behaviour_prob = row.behaviour_prob;
  stored.reward = row.reward;
  stored.cost = row.cost;
  stored.remaining = row.remaining;
  stored.set_price(row.price);
  stored.tokens = row.tokens;
  stored.gflops = row.gflops;
  stored.milliseconds = row.milliseconds;
  stored.weights = row.weights.value;
  stored.quick_model = row.quick_model;
  stored.deepthink_model = row.deepthink_model;
  if (row.gain) stored.gain = *row.gain;
  stored.reference = row.reference;
  const auto features = std::as_bytes(std::span(row.features));
  // Not std::ranges::copy: libstdc++ 12 copies bytes one by one where it reads them as const.
  const std::size_t used = sizeof(stored) + features.size();
  std::memcpy(to.data(), &stored, sizeof(stored));
  std::memcpy(to.data() + sizeof(stored), features.data(), features.size());
  std::memset(to.data() + used, 0, to.size() - used);
}

core::Transition LoadRow(const StoredRow& stored, std::span<const std::uint16_t> features) {
  core::Transition out;
  out.actor = core::ActorId(stored.actor);
  out.incarnation = core::Incarnation(stored.incarnation);
  out.sequence = core::Sequence(stored.sequence);
  out.episode = core::EpisodeId(stored.episode);
  out.step = stored.step;
  out.steps_left = stored.steps_left;
  out.features.assign(features.begin(), features.end());
  out.quick_action = stored.quick_action;
  out.deepthink_action = stored.deepthink_action;
  out.activated = stored.activated();
  out.behaviour_prob = stored.behaviour_prob;
  out.may_activate = stored.may_activate();
  out.reward = stored.reward;
  out.cost = stored.cost;
  out.remaining = stored.remaining;
  out.terminated = stored.flags & StoredRow::kTerminated;
  out.truncated = stored.flags & StoredRow::kTruncated;
  out.price = stored.price();
  out.tokens = stored.tokens;
  out.gflops = stored.gflops;
  out.milliseconds = stored.milliseconds;
  out.weights = core::WeightsVersion(stored.weights);
  out.quick_model = stored.quick_model;
  out.deepthink_model = stored.deepthink_model;
  if (stored.branched()) out.gain = stored.gain;
  out.reference = stored.reference;
  return out;
}

void SealRows(std::span<std::byte> rows, std::int64_t stride) {
  std::byte* row = rows.data();
  for (const std::uint32_t crc : CrcsOfRows(rows, stride)) {
    std::memcpy(row, &crc, sizeof(crc));
    row += stride;
  }
}

std::int64_t CountWholeRows(std::span<const std::byte> rows,
                            std::int64_t stride,
                            std::int64_t first) {
  const std::int64_t stored = std::ssize(rows) / stride;
  std::int64_t whole = 0;
  while (whole < stored) {
    const std::int64_t begin = whole, count = std::min(kRowsPerScan, stored - begin);
    const auto crcs = CrcsOfRows(rows.subspan(static_cast<std::size_t>(begin * stride),
                                              static_cast<std::size_t>(count * stride)),
                                 stride);
    for (const std::uint32_t crc : crcs) {
      if (!IsWholeRow(rows.data() + whole * stride, first + whole, crc)) return whole;
      ++whole;
    }
  }
  return whole;
}

}  // namespace londi::learner
