#include "learner/array_file.h"

#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.h"

namespace londi::learner {
namespace {

using Json = nlohmann::json;

[[noreturn]] void Refuse(const std::string& why) {
  throw core::ModelError({.what = "the arrays of a checkpoint cannot be read",
                          .why = why,
                          .fix = "use another checkpoint of the run"});
}

}  // namespace

std::string EncodeArrays(const std::vector<core::NamedArray>& arrays) {
  Json header = Json::object();
  std::uint64_t offset = 0;
  for (const core::NamedArray& array : arrays) {
    const std::uint64_t end = offset + array.values.size() * sizeof(float);
    header[array.name] = {
        {"dtype", "F32"}, {"shape", array.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // Data begin at a multiple of 8.
  const std::uint64_t header_size = text.size();
  std::string bytes(sizeof(header_size), '\0');
  std::memcpy(bytes.data(), &header_size, sizeof(header_size));
  bytes.reserve(bytes.size() + text.size() + offset);
  bytes += text;
  for (const core::NamedArray& array : arrays) {
    bytes.append(reinterpret_cast<const char*>(array.values.data()),
                 array.values.size() * sizeof(float));
  }
  return bytes;
}

std::vector<core::NamedArray> DecodeArrays(const std::string& bytes) {
  std::uint64_t header_size = 0;
  if (bytes.size() < sizeof(header_size)) Refuse("the file is too short");
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  if (header_size > bytes.size() - sizeof(header_size))
    Refuse("the file is shorter than its header");
  const char* data = bytes.data() + sizeof(header_size) + header_size;
  const std::uint64_t data_size = bytes.size() - sizeof(header_size) - header_size;
  const Json header = Json::parse(
      bytes.substr(sizeof(header_size), header_size), nullptr, /*allow_exceptions=*/false);
  if (!header.is_object()) Refuse("its header is no JSON object");

  std::vector<core::NamedArray> arrays;
  for (const auto& [name, entry] : header.items()) {
    const bool is_array = entry.is_object() && entry.value("dtype", "") == "F32" &&
                          entry.contains("shape") && entry.contains("data_offsets") &&
                          entry["data_offsets"].size() == 2;
    if (!is_array) Refuse("'" + name + "' is no fp32 array");
    core::NamedArray array{name, entry["shape"].get<std::vector<std::int64_t>>(), {}};
    const auto begin = entry["data_offsets"][0].get<std::uint64_t>();
    const auto end = entry["data_offsets"][1].get<std::uint64_t>();
    std::uint64_t size = 1;
    for (const std::int64_t extent : array.shape) size *= static_cast<std::uint64_t>(extent);
    if (begin > end || end > data_size || end - begin != size * sizeof(float)) {
      Refuse("'" + name + "' does not lie within the file");
    }
    array.values.resize(size);
    if (size > 0) std::memcpy(array.values.data(), data + begin, end - begin);
    arrays.push_back(std::move(array));
  }
  return arrays;
}

}  // namespace londi::learner
