#include <gtest/gtest.h>

#include "tests/support/wire_messages.h"
#include "transport/msgpack_io.h"

// Decoders fed with damaged bodies: every outcome but a value or core::ProtocolError is a bug. The
// checksum is left out on purpose (a hostile peer computes it correctly). Random damage:
// tests/fuzz.
namespace londi::transport {
namespace {

using testing::WireMessage;

class CodecFuzz : public ::testing::TestWithParam<WireMessage> {
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
                         ::testing::ValuesIn(testing::WireMessages()),
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
  const std::string message = writer.Finish(MessageType::kTransitions, testing::WireSender());

  EXPECT_THROW(DecodeTransitions(std::string_view(message).substr(kFrameHeaderBytes)),
               core::ProtocolError);
}

TEST(CodecLimits, RefusesAShapeWhoseProductOverflows) {
  MessageWriter writer(3);
  writer.Int(1).Text("dueling_mlp").Array(1);
  writer.Array(3).Text("w").Array(4);
  for (int i = 0; i < 4; ++i) writer.Int(1 << 24);  // The product is 2^96.
  writer.Bin<float>(std::vector<float>{1.0f});
  const std::string message = writer.Finish(MessageType::kWeights, testing::WireSender());

  EXPECT_THROW(DecodeWeights(std::string_view(message).substr(kFrameHeaderBytes)),
               core::ProtocolError);
}

}  // namespace
}  // namespace londi::transport
