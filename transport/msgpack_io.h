#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <msgpack.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "transport/frame.h"

// Helpers of the codec: writing a message body behind its header, and reading one that nobody
// vouches for. Included by codec*.cc only.
namespace londi::transport {

// Collects a message; Finish hands it over. A body is one array of fields in a fixed order.
class MessageWriter {
 public:
  explicit MessageWriter(std::uint32_t num_fields)
      : message_(kFrameHeaderBytes, '\0'), packer_(sink_) {
    packer_.pack_array(num_fields);
  }

  MessageWriter& Array(std::size_t size) {
    return packer_.pack_array(static_cast<std::uint32_t>(size)), *this;
  }
  MessageWriter& Int(std::int64_t value) { return packer_.pack(value), *this; }
  MessageWriter& Uint(std::uint64_t value) { return packer_.pack(value), *this; }
  // Always 8 bytes. Not msgpack's own: it makes integers of whole numbers, with undefined behaviour
  // for 2^64.
  MessageWriter& Real(double value) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    char bytes[9] = {'\xcb'};
    for (int i = 0; i < 8; ++i) bytes[1 + i] = static_cast<char>(bits >> (56 - 8 * i));
    return sink_.write(bytes, sizeof bytes), *this;
  }
  MessageWriter& Text(std::string_view text) { return packer_.pack(text), *this; }

  // Room for so many bytes, so that a long message is not copied while it grows.
  void Reserve(std::size_t bytes) { message_.reserve(message_.size() + bytes); }

  // A `bin` that is written in parts of `bytes` altogether.
  void BeginBin(std::size_t bytes) { packer_.pack_bin(static_cast<std::uint32_t>(bytes)); }
  template <class T>
  void Part(std::span<const T> values) {
    packer_.pack_bin_body(reinterpret_cast<const char*>(values.data()),
                          static_cast<std::uint32_t>(values.size_bytes()));
  }

  // Raw little-endian elements.
  template <class T>
  MessageWriter& Bin(std::span<const T> values) {
    BeginBin(values.size_bytes());
    Part(values);
    return *this;
  }

  std::string Finish(MessageType type, const Session& sender) {
    FinishFrame(type, sender, message_);
    return std::move(message_);
  }

 private:
  struct Sink {
    std::string& out;
    void write(const char* data, std::size_t size) { out.append(data, size); }
  };

  std::string message_;
  Sink sink_{message_};
  msgpack::packer<Sink> packer_;
};

[[noreturn]] void ThrowBadBody(std::string why);

// Reads one array of fields in order. Every read checks type, sign, range and length, and throws
// core::ProtocolError. Views point into the body.
class FieldReader {
 public:
  // `object` must be an array of exactly `num_fields`.
  FieldReader(const msgpack::object& object, std::uint32_t num_fields);

  std::int64_t Int(std::int64_t min, std::int64_t max);
  std::uint64_t Uint();
  double Real();  // Any double, NaN included.
  bool Bool() { return Int(0, 1) != 0; }
  std::string_view Text(std::size_t max_bytes);
  std::span<const msgpack::object> Array(std::size_t max_size);

  // Exactly `count` elements of T.
  template <class T>
  std::vector<T> Bin(std::size_t count) {
    const std::string_view bytes = BinBytes();
    if (bytes.size() != count * sizeof(T)) ThrowBadBody("a column has the wrong length.");
    std::vector<T> values(count);
    if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }
  std::string_view BinBytes();

 private:
  const msgpack::object& Next();

  std::span<const msgpack::object> fields_;
  std::size_t next_ = 0;
};

// A body parsed without copying; `body` must outlive it. Limits: depth 6, arrays of 65,536
// elements, no maps, no ext.
class ParsedBody {
 public:
  explicit ParsedBody(std::string_view body);
  const msgpack::object& root() const { return handle_.get(); }

 private:
  msgpack::object_handle handle_;
};

}  // namespace londi::transport
