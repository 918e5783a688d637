#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <functional>

namespace londi::learner {

// What a segment file asks of the operating system where that may fail or take long. Tests hand in
// disks that are slow or full.
struct DiskCalls {
  std::function<int(int fd)> sync_data = fdatasync;  // 0, or -1 and errno; also below.
  std::function<int(int fd)> sync_all = fsync;
  std::function<ssize_t(int fd, const void* bytes, std::size_t size, off_t position)> write =
      pwrite;  // How many bytes, or -1 and errno.
  // Gives the file's first `bytes` bytes room on the disk. 0 or the error's number.
  std::function<int(int fd, std::int64_t bytes)> allocate = [](int fd, std::int64_t bytes) {
    return posix_fallocate(fd, 0, bytes);
  };
};

}  // namespace londi::learner
