#include <algorithm>
#include <type_traits>

#include "core/budget_meter.h"
#include "transport/codec.h"
#include "transport/msgpack_io.h"

namespace londi::transport {
namespace {

using core::Transition;

enum Flags : std::uint8_t {
  kActivated = 1,
  kMayActivate = 2,
  kTerminated = 4,
  kTruncated = 8,
  kBranched = 16,
  kAllFlags = 31
};

std::uint8_t PackFlags(const Transition& row) {
  return static_cast<std::uint8_t>((row.activated ? kActivated : 0) |
                                   (row.may_activate ? kMayActivate : 0) |
                                   (row.terminated ? kTerminated : 0) |
                                   (row.truncated ? kTruncated : 0) | (row.gain ? kBranched : 0));
}

void UnpackFlags(std::uint8_t flags, Transition& row) {
  if (flags > kAllFlags) ThrowBadBody("a row has unknown flags.");
  row.activated = (flags & kActivated) != 0;
  row.may_activate = (flags & kMayActivate) != 0;
  row.terminated = (flags & kTerminated) != 0;
  row.truncated = (flags & kTruncated) != 0;
  if ((flags & kBranched) != 0) row.gain = Transition::Gain{};
}

// The columns behind the features, in wire order: the one table that encoding and decoding share.
template <class Visit>
void VisitColumns(Visit visit) {
  visit([](auto& row) -> auto& { return row.episode.value; });
  visit([](auto& row) -> auto& { return row.step; });
  visit([](auto& row) -> auto& { return row.steps_left; });
  visit([](auto& row) -> auto& { return row.quick_action; });
  visit([](auto& row) -> auto& { return row.deepthink_action; });
  visit([](auto& row) -> auto& { return row.behaviour_prob; });
  visit([](auto& row) -> auto& { return row.reward; });
  visit([](auto& row) -> auto& { return row.cost; });
  visit([](auto& row) -> auto& { return row.remaining; });
  visit([](auto& row) -> auto& { return row.price; });
  visit([](auto& row) -> auto& { return row.tokens; });
  visit([](auto& row) -> auto& { return row.gflops; });
  visit([](auto& row) -> auto& { return row.milliseconds; });
  visit([](auto& row) -> auto& { return row.reference; });
  visit([](auto& row) -> auto& { return row.weights.value; });
  visit([](auto& row) -> auto& { return row.quick_model; });
  visit([](auto& row) -> auto& { return row.deepthink_model; });
}
constexpr std::uint32_t kNumColumns = 17;
constexpr std::size_t kMostBytesOfColumns =
    kNumColumns * sizeof(std::int64_t) + 1 + 2 * sizeof(float);  // Of a row; flags and gain too.
constexpr std::uint32_t kTransitionFields =
    8 + kNumColumns;  // Identity and shape (5), features, flags, columns, gains.

// Of the branched rows only, two numbers each.
std::vector<float> PackGains(const std::vector<Transition>& rows) {
  std::vector<float> gains;
  for (const Transition& row : rows) {
    if (row.gain) gains.insert(gains.end(), {row.gain->task_return, row.gain->calls});
  }
  return gains;
}

void UnpackGains(FieldReader& reader, std::vector<Transition>& rows) {
  const auto branched =
      std::ranges::count_if(rows, [](const auto& row) { return row.gain.has_value(); });
  const std::vector<float> gains = reader.Bin<float>(2 * static_cast<std::size_t>(branched));
  auto next = gains.begin();
  for (Transition& row : rows) {
    if (!row.gain) continue;
    row.gain->task_return = *next++;
    row.gain->calls = *next++;
  }
}

void RequireEncodable(const TransitionBatch& batch) {
  const std::size_t num_features = batch.rows.empty() ? 0 : batch.rows.front().features.size();
  bool uniform =
      !batch.rows.empty() && batch.rows.size() <= kMaxRows && num_features <= kMaxFeatures;
  std::int64_t sequence = uniform ? batch.rows.front().sequence.value : 0;
  for (const Transition& row : batch.rows) {
    uniform = uniform && row.features.size() == num_features && row.sequence.value == sequence++;
  }
  if (uniform) return;
  throw core::ProtocolError(
      {.what = "a batch of " + std::to_string(batch.rows.size()) + " transitions",
       .why = "a batch has 1 to 4096 consecutive rows with the same number of features.",
       .fix = "push rows through a TransitionSink, which sees to it"});
}

StreamId ReadStream(FieldReader& reader) {
  StreamId stream;
  stream.actor = core::ActorId(reader.Int(0, INT32_MAX));
  stream.incarnation = core::Incarnation(reader.Int(0, INT64_MAX));
  return stream;
}

core::Sequence ReadSequence(FieldReader& reader, std::int64_t min) {
  constexpr std::int64_t kMaxSequence = std::int64_t{1} << 60;  // Leaves room for sums.
  return core::Sequence(reader.Int(min, kMaxSequence));
}

}  // namespace

std::string EncodeTransitions(const Session& sender, const TransitionBatch& batch) {
  RequireEncodable(batch);
  const std::size_t num_rows = batch.rows.size();
  const std::size_t num_features = batch.rows.front().features.size();
  MessageWriter writer(kTransitionFields);
  writer.Int(batch.stream.actor.value).Int(batch.stream.incarnation.value);
  writer.Int(batch.rows.front().sequence.value).Uint(num_rows).Uint(num_features);

  writer.Reserve(num_rows * (num_features * sizeof(std::uint16_t) + kMostBytesOfColumns));
  writer.BeginBin(num_rows * num_features * sizeof(std::uint16_t));
  for (const Transition& row : batch.rows) writer.Part<std::uint16_t>(row.features);
  std::vector<std::uint8_t> flags(num_rows);
  std::ranges::transform(batch.rows, flags.begin(), PackFlags);
  writer.Bin<std::uint8_t>(flags);
  VisitColumns([&](auto field) {
    using T = std::remove_cvref_t<decltype(field(batch.rows.front()))>;
    std::vector<T> column(num_rows);
    for (std::size_t i = 0; i < num_rows; ++i) column[i] = field(batch.rows[i]);
    writer.Bin<T>(column);
  });
  writer.Bin<float>(PackGains(batch.rows));
  return writer.Finish(MessageType::kTransitions, sender);
}

TransitionBatch DecodeTransitions(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), kTransitionFields);
  TransitionBatch batch;
  batch.stream = ReadStream(reader);
  const std::int64_t first = ReadSequence(reader, 1).value;
  const auto num_rows = static_cast<std::size_t>(reader.Int(1, kMaxRows));
  const auto num_features = static_cast<std::size_t>(reader.Int(0, kMaxFeatures));
  const std::string_view features = reader.BinBytes();
  if (features.size() != num_rows * num_features * sizeof(std::uint16_t)) {
    ThrowBadBody("the features have the wrong length.");
  }
  const std::vector<std::uint8_t> flags = reader.Bin<std::uint8_t>(num_rows);

  batch.rows.resize(num_rows);
  for (std::size_t i = 0; i < num_rows; ++i) {
    Transition& row = batch.rows[i];
    row.actor = batch.stream.actor;
    row.incarnation = batch.stream.incarnation;
    row.sequence = core::Sequence(first + static_cast<std::int64_t>(i));
    row.features.resize(num_features);
    const std::size_t row_bytes = num_features * sizeof(std::uint16_t);
    if (row_bytes > 0) std::memcpy(row.features.data(), features.data() + i * row_bytes, row_bytes);
    UnpackFlags(flags[i], row);
  }
  VisitColumns([&](auto field) {
    using T = std::remove_cvref_t<decltype(field(batch.rows.front()))>;
    const std::vector<T> column = reader.Bin<T>(num_rows);
    for (std::size_t i = 0; i < num_rows; ++i) field(batch.rows[i]) = column[i];
  });
  for (const Transition& row : batch.rows) {
    if (row.price < 1 || row.price > core::BudgetMeter::kMaxPrice)
      ThrowBadBody("a row's price is none.");
  }
  UnpackGains(reader, batch.rows);
  return batch;
}

std::string EncodeSinkProbe(const Session& sender, const SinkProbe& probe) {
  MessageWriter writer(5);
  writer.Int(probe.stream.actor.value).Int(probe.stream.incarnation.value);
  writer.Int(probe.number).Int(probe.first_held.value).Int(probe.draining ? 1 : 0);
  return writer.Finish(MessageType::kSinkProbe, sender);
}

SinkProbe DecodeSinkProbe(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 5);
  SinkProbe probe;
  probe.stream = ReadStream(reader);
  probe.number = reader.Int(0, INT64_MAX);
  probe.first_held = ReadSequence(reader, 1);
  probe.draining = reader.Int(0, 1) == 1;
  return probe;
}

std::string EncodeSourceAck(const Session& sender, const SourceAck& ack) {
  MessageWriter writer(7);
  writer.Int(ack.stream.actor.value).Int(ack.stream.incarnation.value);
  writer.Int(ack.stored.value)
      .Int(ack.received.value)
      .Int(ack.credits)
      .Int(ack.probe)
      .Int(ack.gap ? 1 : 0);
  return writer.Finish(MessageType::kSourceAck, sender);
}

SourceAck DecodeSourceAck(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 7);
  SourceAck ack;
  ack.stream = ReadStream(reader);
  ack.stored = ReadSequence(reader, 0);
  ack.received = ReadSequence(reader, 0);
  ack.credits = reader.Int(0, std::int64_t{1} << 40);
  ack.probe = reader.Int(0, INT64_MAX);
  ack.gap = reader.Bool();
  return ack;
}

}  // namespace londi::transport
