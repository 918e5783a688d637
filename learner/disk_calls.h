#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <functional>

namespace londi::learner {

// What a segment file asks of the operating system where that may fail or take long. Tests hand in
// disks that are slow or full.
struct DiskCalls {
  std::function<int(int fd)> sync_data = fdatasync;  // 0, or -1 and errno; also below.
  std::function<int(int fd)> sync_all = fsync;
  // Gives the file's first `bytes` bytes room on the disk. 0 or the error's number.
  std::function<int(int fd, std::int64_t bytes)> allocate = [](int fd, std::int64_t bytes) {
    return posix_fallocate(fd, 0, bytes);
  };
};

}  // namespace londi::learner
