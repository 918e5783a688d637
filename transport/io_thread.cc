#include "transport/io_thread.h"

#include <pthread.h>

#include <vector>

namespace londi::transport {

IoThread::IoThread(std::string name,
                   monitor::Logger logger,
                   std::function<void(IoThread&)> loop,
                   std::function<void()> on_failure) {
  thread_ =
      std::thread([this, name, logger, loop = std::move(loop), on_failure = std::move(on_failure)] {
        pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
        try {
          loop(*this);
        } catch (const std::exception& e) {
          logger->error("thread={} failed, its channel closes: {}", name, e.what());
          failure_ = std::current_exception();
          failed_.store(true, std::memory_order_release);
          on_failure();
        }
      });
}

IoThread::~IoThread() {
  stopping_.store(true, std::memory_order_release);
  Wake();
  thread_.join();
}

void IoThread::Wake() {
  if (state_.exchange(State::kCalled) == State::kWaiting) wake_.Wake();
}

void IoThread::Wait(std::span<const zmq::socket_ref> readable, core::TimePoint deadline) {
  State working = State::kWorking;
  if (!state_.compare_exchange_strong(working, State::kWaiting)) {
    state_.exchange(State::kWorking);  // Sees what the caller did before it called.
    return;
  }
  std::vector<zmq::pollitem_t> items;
  items.reserve(readable.size() + 1);
  items.push_back({nullptr, wake_.fd(), ZMQ_POLLIN, 0});
  for (zmq::socket_ref socket : readable) items.push_back({socket.handle(), 0, ZMQ_POLLIN, 0});
  zmq::poll(
      items.data(), items.size(), stopping() ? std::chrono::milliseconds(0) : TimeUntil(deadline));
  state_.exchange(State::kWorking);
  if ((items[0].revents & ZMQ_POLLIN) != 0) wake_.Clear();
}

}  // namespace londi::transport
