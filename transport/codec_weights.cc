#include "transport/codec.h"
#include "transport/msgpack_io.h"

namespace londi::transport {
namespace {

constexpr std::size_t kMaxDimensions = 8;

[[noreturn]] void ThrowUnsendable(const std::string& array) {
  throw core::ProtocolError(
      {.what = "weights array \"" + array + "\" cannot be sent",
       .why = "its shape does not fit its values, or it exceeds the protocol's limits.",
       .fix = "at most 4096 arrays of at most 16,777,216 values in at most 8 dimensions"});
}

// Number of elements of a shape, nullopt when it is negative or beyond the limit.
template <class Dimensions>
std::optional<std::size_t> CountElements(const Dimensions& dimensions) {
  std::size_t count = 1;
  for (const std::int64_t dimension : dimensions) {
    if (dimension < 0 || static_cast<std::size_t>(dimension) > kMaxArrayElements)
      return std::nullopt;
    count *= static_cast<std::size_t>(dimension);
    if (count > kMaxArrayElements) return std::nullopt;
  }
  return count;
}

core::NamedArray ReadArray(const msgpack::object& object) {
  FieldReader reader(object, 3);
  core::NamedArray array;
  array.name = reader.Text(kMaxNameBytes);
  for (const msgpack::object& dimension : reader.Array(kMaxDimensions)) {
    if (dimension.type != msgpack::type::POSITIVE_INTEGER ||
        dimension.via.u64 > kMaxArrayElements) {
      ThrowBadBody("a shape is out of range.");
    }
    array.shape.push_back(dimension.via.i64);
  }
  const std::optional<std::size_t> count = CountElements(array.shape);
  if (!count) ThrowBadBody("an array is too large.");
  array.values = reader.Bin<float>(*count);
  return array;
}

}  // namespace

std::string EncodeWeightsAnnouncement(const Session& sender,
                                      const WeightsAnnouncement& announcement) {
  MessageWriter writer(3);
  writer.Int(announcement.version.value).Uint(announcement.hash).Int(announcement.bytes);
  return writer.Finish(MessageType::kWeightsAnnouncement, sender);
}

WeightsAnnouncement DecodeWeightsAnnouncement(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 3);
  WeightsAnnouncement announcement;
  announcement.version = core::WeightsVersion(reader.Int(0, INT64_MAX));
  announcement.hash = reader.Uint();
  announcement.bytes = reader.Int(0, kMaxMessageBytes);
  return announcement;
}

std::string EncodeWeights(const Session& sender, const core::WeightsSnapshot& weights) {
  if (weights.arrays.size() > kMaxArrays) ThrowUnsendable(weights.architecture);
  MessageWriter writer(3);
  writer.Int(weights.version.value).Text(weights.architecture).Array(weights.arrays.size());
  for (const core::NamedArray& array : weights.arrays) {
    const bool fits = array.shape.size() <= kMaxDimensions && array.name.size() <= kMaxNameBytes;
    if (!fits || CountElements(array.shape) != array.values.size()) ThrowUnsendable(array.name);
    writer.Array(3).Text(array.name).Array(array.shape.size());
    for (const std::int64_t dimension : array.shape) writer.Int(dimension);
    writer.Bin<float>(array.values);
  }
  return writer.Finish(MessageType::kWeights, sender);
}

core::WeightsSnapshot DecodeWeights(std::string_view body) {
  const ParsedBody parsed(body);
  FieldReader reader(parsed.root(), 3);
  core::WeightsSnapshot weights;
  weights.version = core::WeightsVersion(reader.Int(0, INT64_MAX));
  weights.architecture = reader.Text(kMaxNameBytes);
  const std::span<const msgpack::object> arrays = reader.Array(kMaxArrays);
  weights.arrays.reserve(arrays.size());
  for (const msgpack::object& array : arrays) weights.arrays.push_back(ReadArray(array));
  return weights;
}

std::string EncodeEmpty(const Session& sender, MessageType type) {
  return MessageWriter(0).Finish(type, sender);
}

std::uint64_t ContentHash(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char byte : bytes) hash = (hash ^ static_cast<std::uint8_t>(byte)) * 0x100000001b3u;
  return hash;
}

}  // namespace londi::transport
