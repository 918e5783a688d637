#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The safetensors format: u64 little-endian length of a JSON header, the header, raw little-endian
// row-major data. Source: https://github.com/huggingface/safetensors, "Format".
namespace londi::inference {

enum class ElementType : std::uint8_t {
  kF64,
  kF32,
  kF16,
  kBF16,
  kI64,
  kI32,
  kI16,
  kI8,
  kU8,
  kBool
};
std::string_view ElementTypeName(ElementType type);  // "F32", "BF16" ...
std::size_t ElementSize(ElementType type);           // Bytes.

// One array within a mapped file.
struct StoredTensor {
  ElementType type = ElementType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // Need not be aligned.
};

// A file mapped read-only. The file is treated as hostile: nothing is believed that was not
// checked (header length, JSON depth, duplicate names, ranges within the file, no overlap, no gap,
// size = shape x element size).
class SafetensorsFile {
 public:
  // Throws core::ModelError.
  explicit SafetensorsFile(const std::filesystem::path& path);

  // Views into the mapping: valid as long as this object.
  const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  struct Mapping {
    explicit Mapping(std::span<const std::byte> mapped);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    const std::span<const std::byte> bytes;
  };

  const Mapping mapping_;
  std::map<std::string, StoredTensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

struct TensorToWrite {
  std::string name;
  ElementType type = ElementType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // shape x element size.
};

// Writes to a temporary file beside `path`, syncs, and renames: a reader sees the old file or the
// new one. The arrays are stored in the given order, data aligned to 64 bytes. Throws core::IoError
// when the folder refuses, core::ModelError when a size does not fit its shape.
void WriteSafetensors(const std::filesystem::path& path,
                      const std::vector<TensorToWrite>& tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace londi::inference
