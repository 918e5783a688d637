#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "inference/models/safetensors.h"

namespace londi::inference {
namespace {

constexpr std::size_t kAlignment = 64;  // Of the data's begin within the file.

[[noreturn]] void FailWrite(const std::filesystem::path& path) {
  throw core::IoError({.what = path.string() + " cannot be written",
                       .why = std::strerror(errno),
                       .fix = "check that the folder exists, is writable and has space"});
}

// A file that is being written; removed unless it is renamed.
class NewFile {
 public:
  explicit NewFile(const std::filesystem::path& path)
      : path_(path), temporary_(path.string() + ".tmp") {
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file_ < 0) FailWrite(temporary_);
  }
  ~NewFile() {
    if (file_ < 0) return;
    close(file_);
    unlink(temporary_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  void Write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const ssize_t written = write(file_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) FailWrite(temporary_);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }

  void Commit() {
    if (fsync(file_) != 0) FailWrite(temporary_);
    if (rename(temporary_.c_str(), path_.c_str()) != 0) FailWrite(path_);
    close(file_);
    file_ = -1;
  }

 private:
  const std::filesystem::path path_;
  const std::filesystem::path temporary_;
  int file_ = -1;
};

void CheckSize(const TensorToWrite& tensor) {
  std::size_t bytes = ElementSize(tensor.type);
  for (const std::int64_t size : tensor.shape) bytes *= static_cast<std::size_t>(size);
  if (bytes == tensor.bytes.size()) return;
  throw core::ModelError({.what = "'" + tensor.name + "' cannot be saved",
                          .why = "it has " + std::to_string(tensor.bytes.size()) +
                                 " bytes, its shape needs " + std::to_string(bytes),
                          .fix = "this is a defect of londi: report it"});
}

}  // namespace

void WriteSafetensors(const std::filesystem::path& path,
                      const std::vector<TensorToWrite>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header;
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::size_t offset = 0;
  for (const TensorToWrite& tensor : tensors) {
    CheckSize(tensor);
    header[tensor.name] = {{"dtype", ElementTypeName(tensor.type)},
                           {"shape", tensor.shape},
                           {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  std::string text = header.is_null() ? "{}" : header.dump();
  while ((8 + text.size()) % kAlignment != 0) text += ' ';  // The format allows trailing spaces.
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>((text.size() >> (8 * i)) & 0xff);

  NewFile file(path);
  file.Write(std::as_bytes(std::span(length)));
  file.Write(std::as_bytes(std::span(text)));
  for (const TensorToWrite& tensor : tensors) file.Write(tensor.bytes);
  file.Commit();
}

}  // namespace londi::inference
