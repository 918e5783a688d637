#include "transport/io_thread.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/error.h"

namespace londi::transport {
namespace {

int MakeWakeFd() {
  const int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd >= 0) return fd;
  throw core::IoError({.what = "cannot start an I/O thread",
                       .why = "the system gives this process no more file descriptors.",
                       .fix = "raise `ulimit -n`"});
}

// Rounded up, so that a wait never ends just before its deadline and spins.
std::chrono::milliseconds TimeUntil(core::TimePoint deadline) {
  constexpr std::chrono::milliseconds kLongest{60'000};
  const core::TimePoint now = std::chrono::steady_clock::now();
  if (deadline <= now) return std::chrono::milliseconds(0);
  if (deadline - now >= kLongest) return kLongest;
  return std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
}

}  // namespace

IoThread::IoThread(std::string name,
                   monitor::Logger logger,
                   std::function<void(IoThread&)> loop,
                   std::function<void()> on_failure)
    : wake_fd_(MakeWakeFd()) {
  thread_ =
      std::thread([this, name, logger, loop = std::move(loop), on_failure = std::move(on_failure)] {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        try {
          loop(*this);
        } catch (const std::exception& e) {
          logger->error("thread={} failed, its channel closes: {}", name, e.what());
          on_failure();
        }
      });
}

IoThread::~IoThread() {
  stopping_.store(true, std::memory_order_release);
  Wake();
  thread_.join();
  close(wake_fd_);
}

void IoThread::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the counter is full, and then the thread wakes anyway.
  [[maybe_unused]] const ssize_t written = write(wake_fd_, &one, sizeof one);
}

void IoThread::Wait(std::span<const zmq::socket_ref> readable, core::TimePoint deadline) {
  std::vector<zmq::pollitem_t> items;
  items.reserve(readable.size() + 1);
  items.push_back({nullptr, wake_fd_, ZMQ_POLLIN, 0});
  for (zmq::socket_ref socket : readable) items.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  zmq::poll(
      items.data(), items.size(), stopping() ? std::chrono::milliseconds(0) : TimeUntil(deadline));
  if ((items[0].revents & ZMQ_POLLIN) == 0) return;
  std::uint64_t wakes = 0;
  [[maybe_unused]] const ssize_t taken = read(wake_fd_, &wakes, sizeof wakes);
}

}  // namespace londi::transport
