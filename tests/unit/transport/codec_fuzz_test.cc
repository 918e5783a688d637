#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "tests/support/transport_support.h"
#include "transport/codec.h"
#include "transport/codec_registry.h"
#include "transport/msgpack_io.h"

// Decoders fed with damaged bodies: every outcome but a value or core::ProtocolError is a bug. The
// checksum is left out on purpose (a hostile peer computes it correctly).
namespace londi::transport {
namespace {

const Session kSender(core::RunId(7), core::Epoch(2), core::Incarnation(9));

struct Case {
  std::string name;
  std::string message;
  std::function<void(std::string_view)> decode;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> AllMessages() {
  const StreamId stream{core::ActorId(3), core::Incarnation(2)};
  const core::TimePoint now = std::chrono::steady_clock::now();
  const Registration registration{
      .name = "actor.3", .host = "node", .endpoints = {{"lm", "tcp://x:1"}}, .nonce = 5};
  return {
      {"LmRequest",
       EncodeLmRequest(kSender, 1, testing::MakeLmRequest(), now),
       [now](std::string_view body) { DecodeLmRequest(body, now); }},
      {"LmCancel",
       EncodeLmCancel(kSender, 300),
       [](std::string_view body) { DecodeLmCancel(body); }},
      {"LmReply",
       EncodeLmOutcome(kSender, 1, testing::MakeProposal(3)),
       [](std::string_view body) { DecodeLmOutcome(MessageType::kLmReply, body); }},
      {"LmRefusal",
       EncodeLmOutcome(kSender, 1, LmRefusal{{"what", "why", "fix"}, Retry::kElsewhere}),
       [](std::string_view body) { DecodeLmOutcome(MessageType::kLmRefusal, body); }},
      {"Transitions",
       EncodeTransitions(kSender, {stream, testing::MakeRows(1, 5)}),
       [](std::string_view body) { DecodeTransitions(body); }},
      {"SinkProbe",
       EncodeSinkProbe(kSender, {stream, 1, core::Sequence(1000)}),
       [](std::string_view body) { DecodeSinkProbe(body); }},
      {"SourceAck",
       EncodeSourceAck(kSender,
                       {stream, core::Sequence(900), core::Sequence(1000), 70000, 1, true}),
       [](std::string_view body) { DecodeSourceAck(body); }},
      {"WeightsAnnouncement",
       EncodeWeightsAnnouncement(kSender, {core::WeightsVersion(3), ~0ull, 4096}),
       [](std::string_view body) { DecodeWeightsAnnouncement(body); }},
      {"Weights",
       EncodeWeights(kSender, *testing::MakeWeights(1)),
       [](std::string_view body) { DecodeWeights(body); }},
      {"Register",
       EncodeRegister(kSender, registration),
       [](std::string_view body) { DecodeRegister(body); }},
      {"Registered",
       EncodeRegistered(kSender,
                        {MemberId(1),
                         core::ActorId(1),
                         core::Incarnation(1),
                         std::chrono::milliseconds(1000),
                         5}),
       [](std::string_view body) { DecodeRegistered(body); }},
      {"Renew",
       EncodeRenew(kSender, {MemberId(1), {Role::kActor}, 3, {{"decisions", 5}}}),
       [](std::string_view body) { DecodeRenew(body); }},
      {"Renewed",
       EncodeRenewed(kSender, {Command::kNone, 3, true, {{MemberId(1), registration}}}),
       [](std::string_view body) { DecodeRenewed(body); }},
      {"Leave",
       EncodeLeave(kSender, MemberId(70000)),
       [](std::string_view body) { DecodeLeave(body); }},
      {"RegistryRefusal",
       EncodeRegistryRefusal(kSender, {RegistryRefusal::Kind::kUnknown, {"what", "why", "fix"}}),
       [](std::string_view body) { DecodeRegistryRefusal(body); }},
  };
}

class CodecFuzz : public ::testing::TestWithParam<Case> {
 protected:
  std::string body_ = GetParam().message.substr(kFrameHeaderBytes);

  // True if the bytes were accepted.
  bool Decodes(std::string_view bytes) const {
    try {
      GetParam().decode(bytes);
      return true;
    } catch (const core::ProtocolError&) {
      return false;
    }
  }
};

INSTANTIATE_TEST_SUITE_P(AllMessages,
                         CodecFuzz,
                         ::testing::ValuesIn(AllMessages()),
                         [](const auto& info) { return info.param.name; });

TEST_P(CodecFuzz, AcceptsTheWholeAndNoTruncation) {
  EXPECT_TRUE(Decodes(body_));
  for (std::size_t size = 0; size < body_.size(); ++size)
    EXPECT_FALSE(Decodes(body_.substr(0, size))) << size;
  EXPECT_FALSE(Decodes(body_ + '\0'));
}

TEST_P(CodecFuzz, SurvivesEveryByteValueAtEveryOffset) {
  for (std::size_t offset = 0; offset < body_.size(); ++offset) {
    std::string damaged = body_;
    for (int value = 0; value < 256; value += 3) {
      damaged[offset] = static_cast<char>(value);
      Decodes(damaged);
    }
  }
}

TEST_P(CodecFuzz, SurvivesRandomDamage) {
  std::mt19937 random(20240217);
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = body_;
    const int edits = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < edits && !damaged.empty(); ++i) {
      const std::size_t offset = random() % damaged.size();
      switch (random() % 4) {
        case 0:
          damaged[offset] = static_cast<char>(random());
          break;
        case 1:
          damaged.erase(offset, 1 + random() % 4);
          break;
        case 2:
          damaged.insert(offset, 1 + random() % 4, static_cast<char>(random()));
          break;
        default:  // MessagePack's headers of huge strings, binaries and arrays.
          damaged.replace(
              offset,
              1,
              std::string(
                  {static_cast<char>(0xc6 + random() % 26), '\xff', '\xff', '\xff', '\xff'}));
      }
    }
    Decodes(damaged);
  }
}

TEST_P(CodecFuzz, SurvivesPureNoise) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string noise(random() % 200, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    Decodes(noise);
  }
}

TEST_P(CodecFuzz, RefusesDeepNesting) {
  EXPECT_FALSE(Decodes(std::string(100'000, '\x91')));  // Arrays of one array of one array ...
}

TEST_P(CodecFuzz, RefusesHugeCountsWithoutAllocatingThem) {
  for (const char* header : {"\xdd\xff\xff\xff\xff",
                             "\xdf\xff\xff\xff\xff",
                             "\xc6\xff\xff\xff\xff",
                             "\xdb\xff\xff\xff\xff"}) {
    EXPECT_FALSE(Decodes(std::string(header, 5)));
  }
}

TEST(CodecLimits, RefusesCountsThatDisagreeWithTheirColumns) {
  // 4096 rows of 65,536 features are announced (half a gigabyte), four bytes follow.
  MessageWriter writer(22);
  writer.Int(3).Int(2).Int(1).Uint(4096).Uint(65536);
  const std::vector<std::uint8_t> bytes(4);
  for (int column = 0; column < 17; ++column) writer.Bin<std::uint8_t>(bytes);
  const std::string message = writer.Finish(MessageType::kTransitions, kSender);

  EXPECT_THROW(DecodeTransitions(std::string_view(message).substr(kFrameHeaderBytes)),
               core::ProtocolError);
}

TEST(CodecLimits, RefusesAShapeWhoseProductOverflows) {
  MessageWriter writer(3);
  writer.Int(1).Text("dueling_mlp").Array(1);
  writer.Array(3).Text("w").Array(4);
  for (int i = 0; i < 4; ++i) writer.Int(1 << 24);  // The product is 2^96.
  writer.Bin<float>(std::vector<float>{1.0f});
  const std::string message = writer.Finish(MessageType::kWeights, kSender);

  EXPECT_THROW(DecodeWeights(std::string_view(message).substr(kFrameHeaderBytes)),
               core::ProtocolError);
}

}  // namespace
}  // namespace londi::transport
