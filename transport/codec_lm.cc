#include <algorithm>

#include "core/half.h"
#include "transport/codec.h"
#include "transport/msgpack_io.h"

namespace londi::transport {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kNoDeadline = -1;
constexpr std::int64_t kMaxRemainingUs = std::int64_t{30} * 24 * 3600 * 1'000'000;  // A month.
constexpr std::int64_t kMaxCount = std::int64_t{1} << 40;

void RequireWithin(std::size_t size, std::size_t limit, const char* what) {
  if (size <= limit) return;
  throw core::ProtocolError(
      {.what = std::string("an LM message with ") + what + " of " + std::to_string(size),
       .why = "the protocol allows " + std::to_string(limit) + ".",
       .fix = "shorten the prompt or offer fewer candidates"});
}

std::int64_t RemainingUs(core::TimePoint deadline, core::TimePoint now) {
  if (deadline == core::TimePoint::max()) return kNoDeadline;
  const std::int64_t left = std::chrono::duration_cast<microseconds>(deadline - now).count();
  return std::clamp<std::int64_t>(left, 0, kMaxRemainingUs);
}

core::TimePoint DeadlineAfter(std::int64_t remaining_us, core::TimePoint now) {
  if (remaining_us == kNoDeadline) return core::TimePoint::max();
  return now + microseconds(remaining_us);
}

void WriteUsage(MessageWriter& writer, const core::LmUsage& usage) {
  writer.Int(usage.prompt_tokens)
      .Int(usage.computed_tokens)
      .Int(usage.candidate_tokens)
      .Real(usage.flops);
  writer.Real(usage.queue_ms).Real(usage.compute_ms).Int(usage.batch_size);
}

core::LmUsage ReadUsage(FieldReader& reader) {
  core::LmUsage usage;
  usage.prompt_tokens = reader.Int(0, kMaxCount);
  usage.computed_tokens = reader.Int(0, kMaxCount);
  usage.candidate_tokens = reader.Int(0, kMaxCount);
  usage.flops = reader.Real();
  usage.queue_ms = reader.Real();
  usage.compute_ms = reader.Real();
  usage.batch_size = static_cast<std::int32_t>(reader.Int(0, INT32_MAX));
  return usage;
}

constexpr std::uint32_t kRequestFields = 8;
constexpr std::uint32_t kReplyFields = 16;
constexpr std::uint32_t kRefusalFields = 5;

LmOutcomeMessage DecodeReply(const msgpack::object& body) {
  FieldReader reader(body, kReplyFields);
  core::Proposal proposal;
  const std::uint64_t request_id = reader.Uint();
  const auto num_candidates = static_cast<std::size_t>(reader.Int(1, kMaxCandidates));
  proposal.action =
      static_cast<std::int32_t>(reader.Int(0, static_cast<std::int64_t>(num_candidates) - 1));
  proposal.log_probs = reader.Bin<float>(num_candidates);
  const std::string_view features = reader.BinBytes();
  if (features.size() % 2 != 0 || features.size() / 2 > kMaxFeatures)
    ThrowBadBody("too many features.");
  std::vector<std::uint16_t> halves(features.size() / 2);
  if (!halves.empty()) std::memcpy(halves.data(), features.data(), features.size());
  proposal.features.resize(halves.size());
  core::ToFloat(halves, proposal.features);
  proposal.entropy = static_cast<float>(reader.Real());
  proposal.margin = static_cast<float>(reader.Real());
  proposal.sequence_prob = static_cast<float>(reader.Real());
  proposal.usage = ReadUsage(reader);
  proposal.model = reader.Text(kMaxNameBytes);
  return {request_id, std::move(proposal)};
}

LmOutcomeMessage DecodeRefusal(const msgpack::object& body) {
  FieldReader reader(body, kRefusalFields);
  const std::uint64_t request_id = reader.Uint();
  LmRefusal refusal;
  refusal.retry = static_cast<Retry>(reader.Int(0, static_cast<int>(Retry::kIfUnlimited)));
  refusal.reason.what = reader.Text(kMaxTextBytes);
  refusal.reason.why = reader.Text(kMaxTextBytes);
  refusal.reason.fix = reader.Text(kMaxTextBytes);
  return {request_id, std::move(refusal)};
}

}  // namespace

std::string EncodeLmRequest(const Session& sender,
                            std::uint64_t request_id,
                            const core::LmRequest& request,
                            core::TimePoint now) {
  RequireWithin(request.prompt.size(), kMaxTextBytes, "a prompt");
  RequireWithin(request.candidates.size(), kMaxCandidates, "a number of candidates");
  RequireWithin(request.terminator.size(), kMaxNameBytes, "a terminator");
  MessageWriter writer(kRequestFields);
  writer.Uint(request_id)
      .Int(RemainingUs(request.deadline, now))
      .Uint(request.session)
      .Text(request.prompt);
  writer.Array(request.candidates.size());
  for (const std::string& candidate : request.candidates) {
    RequireWithin(candidate.size(), kMaxTextBytes, "a candidate");
    writer.Text(candidate);
  }
  writer.Text(request.terminator).Int(request.max_tokens).Int(request.max_flops);
  return writer.Finish(MessageType::kLmRequest, sender);
}

LmRequestMessage DecodeLmRequest(std::string_view body, core::TimePoint now) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), kRequestFields);
  LmRequestMessage message;
  message.request_id = reader.Uint();
  message.request.deadline = DeadlineAfter(reader.Int(kNoDeadline, kMaxRemainingUs), now);
  message.request.session = reader.Uint();
  message.request.prompt = reader.Text(kMaxTextBytes);
  const std::span<const msgpack::object> candidates = reader.Array(kMaxCandidates);
  if (candidates.empty()) ThrowBadBody("there are no candidates.");
  message.request.candidates.reserve(candidates.size());
  for (const msgpack::object& candidate : candidates) {
    if (candidate.type != msgpack::type::STR || candidate.via.str.size > kMaxTextBytes) {
      ThrowBadBody("a candidate is not a text, or too long.");
    }
    message.request.candidates.emplace_back(candidate.via.str.ptr, candidate.via.str.size);
  }
  message.request.terminator = reader.Text(kMaxNameBytes);
  message.request.max_tokens = reader.Int(0, core::LmRequest::kNoLimit);
  message.request.max_flops = reader.Int(0, core::LmRequest::kNoLimit);
  return message;
}

std::string EncodeLmCancel(const Session& sender, std::uint64_t request_id) {
  return MessageWriter(1).Uint(request_id).Finish(MessageType::kLmCancel, sender);
}

std::uint64_t DecodeLmCancel(std::string_view body) {
  const ParsedBody parsed(body);
  return FieldReader(parsed.root(), 1).Uint();
}

std::string EncodeLmOutcome(const Session& sender,
                            std::uint64_t request_id,
                            const LmOutcome& outcome) {
  if (const auto* refusal = std::get_if<LmRefusal>(&outcome)) {
    const auto text = [](const std::string& s) {
      return std::string_view(s).substr(0, kMaxTextBytes);
    };
    MessageWriter writer(kRefusalFields);
    writer.Uint(request_id).Int(static_cast<int>(refusal->retry)).Text(text(refusal->reason.what));
    writer.Text(text(refusal->reason.why)).Text(text(refusal->reason.fix));
    return writer.Finish(MessageType::kLmRefusal, sender);
  }
  const core::Proposal& proposal = std::get<core::Proposal>(outcome);
  RequireWithin(proposal.log_probs.size(), kMaxCandidates, "a number of candidates");
  RequireWithin(proposal.features.size(), kMaxFeatures, "a number of features");
  const std::vector<std::uint16_t> features = core::ToHalf(proposal.features);
  MessageWriter writer(kReplyFields);
  writer.Uint(request_id).Int(std::ssize(proposal.log_probs)).Int(proposal.action);
  writer.Bin<float>(proposal.log_probs).Bin<std::uint16_t>(features);
  writer.Real(proposal.entropy).Real(proposal.margin).Real(proposal.sequence_prob);
  WriteUsage(writer, proposal.usage);
  writer.Text(std::string_view(proposal.model).substr(0, kMaxNameBytes));
  return writer.Finish(MessageType::kLmReply, sender);
}

LmOutcomeMessage DecodeLmOutcome(MessageType type, std::string_view body) {
  const ParsedBody parsed(body);
  if (type == MessageType::kLmReply) return DecodeReply(parsed.root());
  if (type == MessageType::kLmRefusal) return DecodeRefusal(parsed.root());
  ThrowBadBody("it is neither a reply nor a refusal.");
}

}  // namespace londi::transport
