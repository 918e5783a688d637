#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "core/budget_meter.h"
#include "core/transition.h"

namespace londi::learner {

// A transition as it lies in a log segment, little-endian, followed by num_features fp16 values and
// zeros up to the row's stride. Changing anything here raises kRowLayoutVersion.
struct StoredRow {
  std::uint32_t crc = 0;  // CRC-32C of all bytes of the row that follow; 0 is written as 1, so
                          // zeros are never a row.
  std::uint32_t flags = 0;
  std::int64_t number = 0;  // Position in the log, from 0.
  std::int32_t actor = 0;
  float reference = 0;  // The upper half of what was the actor's number: 0 in logs from before.
  std::int64_t incarnation = 0;
  std::int64_t sequence = 0;
  std::int64_t episode = 0;
  std::int32_t step = 0;
  std::int32_t steps_left = 0;
  std::int16_t quick_action = 0;
  std::int16_t deepthink_action = 0;
  float behaviour_prob = 0;
  float reward = 0;
  float cost = 0;
  std::int32_t remaining = 0;
  std::int32_t tokens = 0;
  float gflops = 0;
  float milliseconds = 0;
  std::int64_t weights = 0;
  std::uint64_t quick_model = 0;
  std::uint64_t deepthink_model = 0;
  core::Transition::Gain gain;  // Only if branched.

  static constexpr std::uint32_t kActivated = 1, kMayActivate = 2, kTerminated = 4, kTruncated = 8,
                                 kBranched = 16;
  // Above the flags stands the price minus 1: 0 where budgets count calls.
  static constexpr int kPriceShift = 5;
  static_assert(core::BudgetMeter::kMaxPrice - 1 <= (UINT32_MAX >> kPriceShift));

  // What DEEPTHINK's answer takes out of a budget, ticks (core::Transition::price); >= 1.
  std::int32_t price() const { return static_cast<std::int32_t>(flags >> kPriceShift) + 1; }
  void set_price(std::int32_t price) {
    const std::uint32_t low = flags & ((1u << kPriceShift) - 1);
    flags = low | static_cast<std::uint32_t>(price - 1) << kPriceShift;
  }

  bool activated() const { return flags & kActivated; }
  bool may_activate() const { return flags & kMayActivate; }
  bool agreed() const {
    return deepthink_action != core::Transition::kUnknownAction && deepthink_action == quick_action;
  }
  bool branched() const { return flags & kBranched; }
  bool ends_episode() const { return flags & (kTerminated | kTruncated); }

  // The value of what follows is 0 for certain: the task ended, or the step limit did it.
  // `steps_left` is an input of the network, so the step limit is a part of the problem and no
  // interruption of it. A truncation before the limit (an actor that drained) is an interruption:
  // its successor is unknown, hence no target can be made of it.
  bool is_terminal() const {
    return (flags & kTerminated) || ((flags & kTruncated) && steps_left <= 1);
  }
};

inline constexpr std::uint32_t kRowLayoutVersion = 2;
static_assert(sizeof(StoredRow) == 120 && std::is_trivially_copyable_v<StoredRow>);
static_assert(offsetof(StoredRow, actor) == 16 && offsetof(StoredRow, incarnation) == 24 &&
              offsetof(StoredRow, step) == 48 && offsetof(StoredRow, gain) == 112);

// Bytes from the beginning of one row to that of the next.
std::int64_t StrideOf(int num_features);

// Writes the row but for its crc over all of `to`, StrideOf bytes; SealRows gives it that.
void StoreRow(const core::Transition& row, std::int64_t number, std::span<std::byte> to);
core::Transition LoadRow(const StoredRow& stored, std::span<const std::uint16_t> features);

// Gives `rows`, which lie one behind the other, their crcs.
void SealRows(std::span<std::byte> rows, std::int64_t stride);

// How many of the `rows`, the first of which has the number `first`, are whole, up to the first
// that is not.
std::int64_t CountWholeRows(std::span<const std::byte> rows,
                            std::int64_t stride,
                            std::int64_t first);

}  // namespace londi::learner
