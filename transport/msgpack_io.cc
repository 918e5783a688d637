#include "transport/msgpack_io.h"

#include "core/error.h"

namespace londi::transport {

void ThrowBadBody(std::string why) {
  throw core::ProtocolError({.what = "a message was refused",
                             .why = std::move(why),
                             .fix = "let only processes of one londi version connect to this run"});
}

FieldReader::FieldReader(const msgpack::object& object, std::uint32_t num_fields) {
  if (object.type != msgpack::type::ARRAY || object.via.array.size != num_fields) {
    ThrowBadBody("its fields are not the expected ones.");
  }
  fields_ = {object.via.array.ptr, object.via.array.size};
}

const msgpack::object& FieldReader::Next() { return fields_[next_++]; }

std::int64_t FieldReader::Int(std::int64_t min, std::int64_t max) {
  const msgpack::object& field = Next();
  const bool positive = field.type == msgpack::type::POSITIVE_INTEGER;
  if (!positive && field.type != msgpack::type::NEGATIVE_INTEGER)
    ThrowBadBody("a field is not an integer.");
  const bool fits = !positive || field.via.u64 <= static_cast<std::uint64_t>(INT64_MAX);
  const std::int64_t value = fits ? field.via.i64 : 0;
  if (!fits || value < min || value > max) ThrowBadBody("a number is out of range.");
  return value;
}

std::uint64_t FieldReader::Uint() {
  const msgpack::object& field = Next();
  if (field.type != msgpack::type::POSITIVE_INTEGER)
    ThrowBadBody("a field is not an unsigned integer.");
  return field.via.u64;
}

double FieldReader::Real() {
  const msgpack::object& field = Next();
  if (field.type != msgpack::type::FLOAT64) ThrowBadBody("a field is not a number.");
  return field.via.f64;
}

std::string_view FieldReader::Text(std::size_t max_bytes) {
  const msgpack::object& field = Next();
  if (field.type != msgpack::type::STR || field.via.str.size > max_bytes) {
    ThrowBadBody("a field is not a text, or too long.");
  }
  return {field.via.str.ptr, field.via.str.size};
}

std::span<const msgpack::object> FieldReader::Array(std::size_t max_size) {
  const msgpack::object& field = Next();
  if (field.type != msgpack::type::ARRAY || field.via.array.size > max_size) {
    ThrowBadBody("a field is not a list, or too long.");
  }
  return {field.via.array.ptr, field.via.array.size};
}

std::string_view FieldReader::BinBytes() {
  const msgpack::object& field = Next();
  if (field.type != msgpack::type::BIN) ThrowBadBody("a column is not binary.");
  return {field.via.bin.ptr, field.via.bin.size};
}

ParsedBody::ParsedBody(std::string_view body) {
  constexpr std::size_t kMaxArray = 65536, kMaxMap = 0, kMaxBytes = 0xffffffff, kMaxExt = 0,
                        kMaxDepth = 6;
  const auto by_reference = [](msgpack::type::object_type, std::size_t, void*) { return true; };
  try {
    std::size_t offset = 0;
    msgpack::unpack(
        handle_,
        body.data(),
        body.size(),
        offset,
        by_reference,
        nullptr,
        msgpack::unpack_limit(kMaxArray, kMaxMap, kMaxBytes, kMaxBytes, kMaxExt, kMaxDepth));
    if (offset != body.size()) ThrowBadBody("bytes follow its end.");
  } catch (const msgpack::unpack_error& e) {
    ThrowBadBody(std::string("it is not MessagePack within the limits: ") + e.what() + ".");
  }
}

}  // namespace londi::transport
