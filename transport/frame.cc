#include "transport/frame.h"

#include <bit>
#include <cstring>

#include "core/error.h"
#include "transport/crc32c.h"

namespace londi::transport {
namespace {

static_assert(std::endian::native == std::endian::little, "the wire format is little-endian");

constexpr char kMagic[4] = {'L', 'O', 'N', 'D'};
constexpr std::size_t kCrcOffset = 36;

template <class T>
void Put(std::string& message, std::size_t offset, T value) {
  std::memcpy(message.data() + offset, &value, sizeof value);
}

template <class T>
T Get(std::string_view message, std::size_t offset) {
  T value;
  std::memcpy(&value, message.data() + offset, sizeof value);
  return value;
}

std::uint32_t FrameCrc(std::string_view message) {
  const auto bytes = std::as_bytes(std::span(message));
  return Crc32c(bytes.subspan(kFrameHeaderBytes), Crc32c(bytes.first(kCrcOffset)));
}

[[noreturn]] void ThrowBadFrame(std::string why) {
  throw core::ProtocolError(
      {.what = "a message was refused",
       .why = std::move(why),
       .fix = "let only processes of this run, of one londi version, connect to its ports"});
}

}  // namespace

void FinishFrame(MessageType type, const Session& sender, std::string& message) {
  std::memcpy(message.data(), kMagic, sizeof kMagic);
  Put(message, 4, kProtocolVersion);
  Put(message, 6, static_cast<std::uint16_t>(type));
  Put(message, 8, sender.run().value);
  Put(message, 16, sender.epoch().value);
  Put(message, 24, sender.incarnation().value);
  Put(message, 32, static_cast<std::uint32_t>(message.size() - kFrameHeaderBytes));
  Put(message, kCrcOffset, FrameCrc(message));
}

bool IsForeignFrame(std::string_view message) {
  return message.size() >= kFrameHeaderBytes &&
         std::memcmp(message.data(), kMagic, sizeof kMagic) == 0 &&
         Get<std::uint16_t>(message, 4) != kProtocolVersion &&
         Get<std::uint32_t>(message, kCrcOffset) == FrameCrc(message);
}

Frame DecodeFrame(std::string_view message, core::RunId run) {
  if (message.size() < kFrameHeaderBytes) ThrowBadFrame("it is shorter than a header.");
  if (std::memcmp(message.data(), kMagic, sizeof kMagic) != 0)
    ThrowBadFrame("it is not a londi message.");
  if (const auto version = Get<std::uint16_t>(message, 4); version != kProtocolVersion) {
    ThrowBadFrame("it speaks protocol version " + std::to_string(version) +
                  ", this process speaks " + std::to_string(kProtocolVersion) + ".");
  }
  if (Get<std::uint32_t>(message, 32) != message.size() - kFrameHeaderBytes)
    ThrowBadFrame("its size is wrong.");
  if (Get<std::uint32_t>(message, kCrcOffset) != FrameCrc(message))
    ThrowBadFrame("its checksum is wrong.");
  const FrameHeader header{.type = static_cast<MessageType>(Get<std::uint16_t>(message, 6)),
                           .run = core::RunId(Get<std::int64_t>(message, 8)),
                           .epoch = core::Epoch(Get<std::int64_t>(message, 16)),
                           .incarnation = core::Incarnation(Get<std::int64_t>(message, 24))};
  if (header.run != run) {
    ThrowBadFrame("it belongs to run " + std::to_string(header.run.value) + ", this one is " +
                  std::to_string(run.value) + ".");
  }
  return {header, message.substr(kFrameHeaderBytes)};
}

}  // namespace londi::transport
