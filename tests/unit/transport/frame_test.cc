#include "transport/frame.h"

#include <gtest/gtest.h>

#include <random>

#include "core/error.h"
#include "transport/codec.h"
#include "transport/crc32c.h"

namespace londi::transport {
namespace {

const Session kSender(core::RunId(7), core::Epoch(2), core::Incarnation(9));

std::string SomeMessage() { return EncodeLmCancel(kSender, 42); }

TEST(Crc32c, MatchesTheStandardsTestVectors) {
  const std::string digits = "123456789";
  const std::string zeros(32, '\0');
  const auto bytes = [](const std::string& s) { return std::as_bytes(std::span(s)); };

  EXPECT_EQ(Crc32c(bytes(digits)), 0xe3069283u);
  EXPECT_EQ(Crc32c(bytes(zeros)), 0x8a9136aau);  // RFC 3720, B.4.
  EXPECT_EQ(Crc32cPortable(bytes(digits)), 0xe3069283u);
  EXPECT_EQ(Crc32c(bytes(digits).subspan(4), Crc32c(bytes(digits).first(4))), 0xe3069283u);
}

// Short ones, and long ones that CPUs with AVX-512 sum up 256 and then 64 bytes at once.
TEST(Crc32c, OfAnyLengthAndWhereverItBeginsAsByTheTable) {
  std::mt19937 random(1);
  std::vector<std::byte> bytes(2048);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
  for (std::size_t size = 0; size <= 1100; ++size) {
    const auto block = std::span(bytes).subspan(random() % 900, size);
    const auto crc = static_cast<std::uint32_t>(random());

    EXPECT_EQ(Crc32c(block, crc), Crc32cPortable(block, crc)) << size << " bytes";
  }
}

TEST(Crc32c, OfEachBlockAsOfEveryOneAlone) {
  std::vector<std::byte> blocks;
  for (int i = 0; i < 54 * 61; ++i) blocks.push_back(static_cast<std::byte>(i * i >> 3));
  for (const std::size_t count : {1u, 3u, 9u, 54u}) {
    const std::size_t size = blocks.size() / count;
    std::vector<std::uint32_t> crcs(count);

    Crc32cOfEach(blocks, 4, crcs);

    for (std::size_t i = 0; i < count; ++i) {
      const auto block = std::span(blocks).subspan(i * size + 4, size - 4);
      EXPECT_EQ(crcs[i], Crc32cPortable(block)) << i << " of " << count;
    }
  }
}

TEST(Frame, CarriesTheSendersIdentity) {
  const std::string message = SomeMessage();
  const Frame frame = DecodeFrame(message, core::RunId(7));

  EXPECT_EQ(frame.header.type, MessageType::kLmCancel);
  EXPECT_EQ(frame.header.epoch, core::Epoch(2));
  EXPECT_EQ(frame.header.incarnation, core::Incarnation(9));
  EXPECT_EQ(DecodeLmCancel(frame.body), 42u);
}

TEST(Frame, RefusesAnotherRun) {
  EXPECT_THROW(DecodeFrame(SomeMessage(), core::RunId(8)), core::ProtocolError);
}

TEST(Frame, RefusesEverySingleBitFlip) {
  for (std::size_t bit = 0; bit < SomeMessage().size() * 8; ++bit) {
    std::string message = SomeMessage();
    message[bit / 8] = static_cast<char>(message[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_THROW(DecodeFrame(message, core::RunId(7)), core::ProtocolError) << "bit " << bit;
  }
}

TEST(Frame, RefusesEveryTruncation) {
  const std::string message = SomeMessage();
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_THROW(DecodeFrame(std::string_view(message).substr(0, size), core::RunId(7)),
                 core::ProtocolError);
  }
  EXPECT_THROW(DecodeFrame(message + 'x', core::RunId(7)), core::ProtocolError);
}

TEST(Frame, SaysWhichVersionItSpeaks) {
  std::string message = SomeMessage();
  message[4] = 77;
  try {
    DecodeFrame(message, core::RunId(7));
    FAIL();
  } catch (const core::ProtocolError& error) {
    EXPECT_NE(error.text().why.find("protocol version 77"), std::string::npos) << error.text().why;
  }
}

TEST(Session, EpochOnlyRises) {
  Session session(core::RunId(1), core::Epoch(3), core::Incarnation(1));

  session.RaiseEpoch(core::Epoch(2));
  EXPECT_EQ(session.epoch(), core::Epoch(3));
  session.RaiseEpoch(core::Epoch(5));
  EXPECT_EQ(session.epoch(), core::Epoch(5));
}

}  // namespace
}  // namespace londi::transport
