#include "transport/stream_watermarks.h"

#include <algorithm>

namespace londi::transport {

std::optional<StreamWatermarks::Admission> StreamWatermarks::Admit(StreamId stream,
                                                                   core::Sequence first,
                                                                   std::int64_t rows) {
  Marks& marks = streams_[stream];
  if (first.value > marks.received + 1) return std::nullopt;
  const std::int64_t last = first.value + rows - 1;
  const std::int64_t duplicates =
      std::clamp<std::int64_t>(marks.received - first.value + 1, 0, rows);
  marks.received = std::max(marks.received, last);
  return Admission{.duplicates = duplicates, .fresh = rows - duplicates};
}

void StreamWatermarks::MarkStored(StreamId stream, core::Sequence through) {
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  Marks& marks = found->second;
  marks.stored = std::max(marks.stored, std::min(through.value, marks.received));
}

std::int64_t StreamWatermarks::SkipTo(StreamId stream, core::Sequence first) {
  Marks& marks = streams_[stream];
  const std::int64_t missing = first.value - 1 - marks.received;
  if (missing <= 0) return 0;
  marks.received = marks.stored = first.value - 1;
  return missing;
}

core::Sequence StreamWatermarks::Received(StreamId stream) const {
  const auto found = streams_.find(stream);
  return core::Sequence(found == streams_.end() ? 0 : found->second.received);
}

core::Sequence StreamWatermarks::Stored(StreamId stream) const {
  const auto found = streams_.find(stream);
  return core::Sequence(found == streams_.end() ? 0 : found->second.stored);
}

StreamWatermarks::Snapshot StreamWatermarks::StoredMarks() const {
  Snapshot marks;
  marks.reserve(streams_.size());
  for (const auto& [stream, mark] : streams_)
    marks.emplace_back(stream, core::Sequence(mark.stored));
  return marks;
}

void StreamWatermarks::Restore(const Snapshot& stored) {
  for (const auto& [stream, through] : stored) {
    streams_[stream] = {.received = through.value, .stored = through.value};
  }
}

}  // namespace londi::transport
