#include "inference/models/safetensors.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "core/error.h"

namespace londi::inference {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kLargestHeader = 100'000'000;  // Bytes, the format's own limit.
constexpr int kDeepestHeader = 4;                      // Nesting levels; the format has 3.

struct ElementTypeRow {
  std::string_view name;
  std::size_t size;
};
constexpr ElementTypeRow kElementTypes[] = {{"F64", 8},
                                            {"F32", 4},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I64", 8},
                                            {"I32", 4},
                                            {"I16", 2},
                                            {"I8", 1},
                                            {"U8", 1},
                                            {"BOOL", 1}};

[[noreturn]] void FailDamaged(const std::filesystem::path& path, const std::string& why) {
  throw core::ModelError({.what = path.string() + " is no usable safetensors file",
                          .why = why,
                          .fix = "obtain the file again: it is damaged or was cut off"});
}

ElementType ParseElementType(const std::filesystem::path& path, const std::string& name) {
  for (std::size_t i = 0; i < std::size(kElementTypes); ++i) {
    if (kElementTypes[i].name == name) return static_cast<ElementType>(i);
  }
  throw core::ModelError({.what = path.string() + " holds elements of type '" + name + "'",
                          .why = "this type is not supported",
                          .fix = "save the model as float32, float16 or bfloat16"});
}

// Bytes of an array, or nothing where the product overflows.
std::optional<std::uint64_t> NumBytes(ElementType type, const std::vector<std::int64_t>& shape) {
  std::uint64_t bytes = ElementSize(type);
  for (const std::int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::span<const std::byte> MapFile(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    throw core::ModelError({.what = path.string() + " cannot be opened",
                            .why = std::strerror(errno),
                            .fix = "check the model's folder and its permissions"});
  }
  struct stat status {};
  const bool is_file = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const auto size = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  void* data = MAP_FAILED;
  if (is_file && size >= 8) data = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (!is_file || size < 8) FailDamaged(path, "it has not even a header");
  if (data == MAP_FAILED) FailDamaged(path, "it cannot be mapped into memory");
  return {static_cast<const std::byte*>(data), size};
}

// The JSON header. Depth and duplicate names are checked while it is read.
Json ParseHeader(const std::filesystem::path& path, std::string_view text) {
  std::set<std::string> names;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepestHeader) FailDamaged(path, "its header is nested too deeply");
    if (event == Json::parse_event_t::key && depth == 1 &&
        !names.insert(parsed.get<std::string>()).second) {
      FailDamaged(path, "its header names '" + parsed.get<std::string>() + "' twice");
    }
    return true;
  };
  Json header = Json::parse(text, check, /*allow_exceptions=*/false);
  if (!header.is_object()) FailDamaged(path, "its header is no JSON object");
  return header;
}

std::vector<std::int64_t> ParseShape(const std::filesystem::path& path, const Json& entry) {
  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) FailDamaged(path, "an array has no shape");
  std::vector<std::int64_t> sizes;
  for (const Json& size : *shape) {
    if (!size.is_number_unsigned()) FailDamaged(path, "a shape holds something else than counts");
    sizes.push_back(size.get<std::int64_t>());
  }
  return sizes;
}

std::pair<std::uint64_t, std::uint64_t> ParseOffsets(const std::filesystem::path& path,
                                                     const Json& entry) {
  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2 ||
      !(*offsets)[0].is_number_unsigned() || !(*offsets)[1].is_number_unsigned()) {
    FailDamaged(path, "an array has no data_offsets");
  }
  return {(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>()};
}

StoredTensor ParseTensor(const std::filesystem::path& path,
                         const std::string& name,
                         const Json& entry,
                         std::span<const std::byte> data) {
  if (!entry.is_object() || !entry.contains("dtype") || !entry["dtype"].is_string()) {
    FailDamaged(path, "the entry of '" + name + "' is malformed");
  }
  StoredTensor tensor;
  tensor.type = ParseElementType(path, entry["dtype"].get<std::string>());
  tensor.shape = ParseShape(path, entry);
  const auto [begin, end] = ParseOffsets(path, entry);
  if (begin > end || end > data.size()) {
    FailDamaged(path,
                "'" + name + "' ends at byte " + std::to_string(end) + " of " +
                    std::to_string(data.size()));
  }
  if (NumBytes(tensor.type, tensor.shape) != end - begin) {
    FailDamaged(path, "the size of '" + name + "' does not fit its shape");
  }
  tensor.bytes = data.subspan(begin, end - begin);
  return tensor;
}

// The format demands that the arrays cover the data without gap or overlap.
void CheckCoverage(const std::filesystem::path& path,
                   const std::map<std::string, StoredTensor>& tensors,
                   std::span<const std::byte> data) {
  std::vector<std::pair<const std::byte*, const std::byte*>> ranges;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.bytes.empty()) continue;
    ranges.emplace_back(tensor.bytes.data(), tensor.bytes.data() + tensor.bytes.size());
  }
  std::sort(ranges.begin(), ranges.end());
  const std::byte* covered = data.data();
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) FailDamaged(path, "its arrays overlap or leave a gap");
    covered = end;
  }
  if (covered != data.data() + data.size()) FailDamaged(path, "data follows its last array");
}

}  // namespace

std::string_view ElementTypeName(ElementType type) {
  return kElementTypes[static_cast<std::size_t>(type)].name;
}

std::size_t ElementSize(ElementType type) {
  return kElementTypes[static_cast<std::size_t>(type)].size;
}

SafetensorsFile::Mapping::Mapping(std::span<const std::byte> mapped) : bytes(mapped) {}
SafetensorsFile::Mapping::~Mapping() { munmap(const_cast<std::byte*>(bytes.data()), bytes.size()); }

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : mapping_(MapFile(path)) {
  const std::span<const std::byte> file = mapping_.bytes;
  std::uint64_t header_size = 0;
  for (int i = 0; i < 8; ++i) header_size |= std::to_integer<std::uint64_t>(file[i]) << (8 * i);
  if (header_size > kLargestHeader || header_size > file.size() - 8) {
    FailDamaged(path, "its header claims " + std::to_string(header_size) + " bytes");
  }
  const Json header =
      ParseHeader(path, {reinterpret_cast<const char*>(file.data()) + 8, header_size});
  const std::span<const std::byte> data = file.subspan(8 + header_size);
  for (const auto& [name, entry] : header.items()) {
    if (name != "__metadata__") {
      tensors_.emplace(name, ParseTensor(path, name, entry, data));
      continue;
    }
    if (!entry.is_object()) FailDamaged(path, "its metadata is no object");
    for (const auto& [key, value] : entry.items()) {
      if (!value.is_string()) FailDamaged(path, "its metadata holds something else than texts");
      metadata_.emplace(key, value.get<std::string>());
    }
  }
  CheckCoverage(path, tensors_, data);
}

}  // namespace londi::inference
