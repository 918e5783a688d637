#include "tests/fuzz/transport/fuzz_states.h"

#include <set>
#include <stdexcept>
#include <string>

#include "tests/support/wire_messages.h"
#include "transport/registry_state.h"
#include "transport/stream_watermarks.h"
#include "transport/transition_spool.h"

namespace londi::fuzz {
namespace {

using std::chrono::milliseconds;
using transport::MessageType;

void Require(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

class Members {
 public:
  void Take(const transport::Frame& frame) {
    now_ += milliseconds(100);
    switch (frame.header.type) {
      case MessageType::kRegister:
        CheckSendable(state_.Register(transport::DecodeRegister(frame.body), now_));
        break;
      case MessageType::kRenew:
        CheckSendable(state_.Renew(transport::DecodeRenew(frame.body), now_));
        break;
      case MessageType::kLeave:
        state_.Leave(transport::DecodeLeave(frame.body));
        break;
      default:
        return;
    }
    state_.Expire(now_);
    Check();
  }

 private:
  void Check() {
    std::set<std::string> names;
    for (const transport::MemberStatus& each : state_.Members()) {
      const transport::Registration& who = each.member.registration;
      Require(names.insert(who.name).second, "a name has two holders");
      Require(who.incarnation.value > 0, "a member has no incarnation");
    }
    Require(names.size() <= kOptions.max_members, "there are too many members");
    Require(state_.NextExpiry().value_or(core::TimePoint::max()) > now_, "a lease is over");
    Require(state_.TakeEvents().size() <= 1 + kOptions.max_members + 1, "events pile up");
  }

  static std::string Encode(const transport::Registered& answer) {
    return transport::EncodeRegistered(testing::WireSender(), answer);
  }
  static std::string Encode(const transport::Renewed& answer) {
    return transport::EncodeRenewed(testing::WireSender(), answer);
  }
  static std::string Encode(const transport::RegistryRefusal& answer) {
    return transport::EncodeRegistryRefusal(testing::WireSender(), answer);
  }

  // What members are told must be something that they take.
  template <class Answer>
  static void CheckSendable(const std::variant<Answer, transport::RegistryRefusal>& answer) {
    const std::string message = std::visit([](const auto& each) { return Encode(each); }, answer);
    const transport::Frame frame = transport::DecodeFrame(message, testing::WireSender().run());
    try {
      if (frame.header.type == MessageType::kRegistered) transport::DecodeRegistered(frame.body);
      if (frame.header.type == MessageType::kRenewed) transport::DecodeRenewed(frame.body);
    } catch (const core::ProtocolError& error) {
      throw std::logic_error(std::string("members do not take the answer: ") + error.what());
    }
  }

  static constexpr transport::RegistryOptions kOptions{
      .lease = milliseconds(1000), .startup_lease = milliseconds(1000), .max_members = 2};
  transport::RegistryState state_{testing::WireSender().epoch(), kOptions};
  core::TimePoint now_{};
};

class RowsUnderWay {
 public:
  RowsUnderWay() {
    for (core::Transition& row : testing::MakeRows(1, kRows)) spool_.Push(std::move(row), {});
    spool_.Flush();
  }

  void Take(const transport::Frame& frame) {
    switch (frame.header.type) {
      case MessageType::kTransitions:
        return TakeBatch(transport::DecodeTransitions(frame.body));
      case MessageType::kSinkProbe:
        return TakeProbe(transport::DecodeSinkProbe(frame.body));
      case MessageType::kSourceAck:
        return TakeAck(transport::DecodeSourceAck(frame.body));
      default:
        return;
    }
  }

 private:
  void TakeBatch(const transport::TransitionBatch& batch) {
    const core::Sequence before = marks_.Received(batch.stream);
    const auto admitted =
        marks_.Admit(batch.stream, batch.rows.front().sequence, std::ssize(batch.rows));
    const core::Sequence after = marks_.Received(batch.stream);
    if (!admitted) return Require(after == before, "a gap moved a watermark");
    Require(admitted->duplicates >= 0 && admitted->fresh >= 0 &&
                admitted->duplicates + admitted->fresh == std::ssize(batch.rows),
            "a batch is more or less than its rows");
    Require(after.value - before.value == admitted->fresh, "new rows moved a watermark too far");
    marks_.MarkStored(batch.stream, batch.last());
    Require(marks_.Stored(batch.stream) <= after, "more is stored than was received");
  }

  void TakeProbe(const transport::SinkProbe& probe) {
    const core::Sequence before = marks_.Received(probe.stream);
    const std::int64_t missing = marks_.SkipTo(probe.stream, probe.first_held);
    const core::Sequence after = marks_.Received(probe.stream);
    Require(missing >= 0 && after.value - before.value == missing, "a probe miscounts lost rows");
  }

  void TakeAck(const transport::SourceAck& ack) {
    if (ack.stream != *spool_.stream()) return;  // As the sink.
    const transport::SinkStatus before = spool_.status();
    spool_.OnAck(ack.stored, ack.credits);
    spool_.Rewind(ack.received);
    const transport::SinkStatus after = spool_.status();
    Require(after.acknowledged >= before.acknowledged && after.unacknowledged >= 0 &&
                after.acknowledged.value + after.unacknowledged == kRows,
            "the spool forgot rows");
    std::int64_t next = 0;
    while (const auto batch = spool_.TakeNext({})) {
      Require(next == 0 || batch->rows.front().sequence.value == next, "the spool skips rows");
      next = batch->last().value + 1;
    }
  }

  static constexpr std::int64_t kRows = 64;
  transport::StreamWatermarks marks_;
  transport::TransitionSpool spool_{{.max_rows = kRows, .flush_rows = 8}};
};

template <class State>
TakesMessages Taking() {
  const auto state = std::make_shared<State>();
  return [state](const transport::Frame& frame) { state->Take(frame); };
}

}  // namespace

TakesMessages MakeMembers() { return Taking<Members>(); }
TakesMessages MakeRowsUnderWay() { return Taking<RowsUnderWay>(); }

}  // namespace londi::fuzz
