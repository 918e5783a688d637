#include "transport/peer_guard.h"

#include <array>
#include <cstring>
#include <iterator>
#include <optional>
#include <utility>

#include "core/error.h"
#include "transport/zmq_socket.h"

namespace londi::transport {
namespace {

constexpr std::size_t kKeyBytes = 32;

std::string BinaryKey(const std::string& z85) {
  std::string key(kKeyBytes, '\0');
  if (zmq_z85_decode(reinterpret_cast<std::uint8_t*>(key.data()), z85.c_str()) == nullptr) {
    throw core::IoError({.what = "a key of the run cannot be used",
                         .why = "it is not the Z85 text of a CURVE key.",
                         .fix = "resume the run, which makes new keys"});
  }
  return key;
}

// All parts of the next message. Does not block.
std::optional<std::vector<std::string>> TryReceiveParts(zmq::socket_t& socket) {
  std::vector<std::string> parts;
  zmq::message_t part;
  do {
    if (!socket.recv(part, zmq::recv_flags::dontwait)) break;
    parts.push_back(part.to_string());
  } while (part.more());
  if (parts.empty()) return std::nullopt;
  return parts;
}

// As long as it is bound, whoever connects waits for an answer; were it not, libzmq would let
// everybody in who knows the server's public key. So it is a member: bound before the first
// listener, and still bound should the guard's thread fail.
zmq::socket_t BindQuestions(zmq::context_t& context) {
  zmq::socket_t questions(context, zmq::socket_type::rep);
  questions.set(zmq::sockopt::linger, 0);
  questions.bind("inproc://zeromq.zap.01");
  return questions;
}

struct Handshake {
  std::uint16_t event = 0;
  std::uint32_t detail = 0;
  std::string where;
};

Handshake ToHandshake(const std::vector<std::string>& parts) {
  Handshake handshake;
  if (parts.size() < 2 || parts[0].size() < sizeof handshake.event + sizeof handshake.detail) {
    return handshake;
  }
  std::memcpy(&handshake.event, parts[0].data(), sizeof handshake.event);
  std::memcpy(&handshake.detail, parts[0].data() + sizeof handshake.event, sizeof handshake.detail);
  handshake.where = parts[1];
  return handshake;
}

}  // namespace

PeerGuard::Refusals::Refusals(const char* reason, std::string why, monitor::Metrics& metrics)
    : why_(std::move(why)),
      count_(metrics.GetCounter("londi_refused_peers_total",
                                "Connections that were refused before any message",
                                {{"reason", reason}})) {}

void PeerGuard::Refusals::Add(const std::string& where, spdlog::logger& logger) {
  count_.Increment();
  if (const auto held_back = throttle_.Admit(std::chrono::steady_clock::now())) {
    logger.warn("peer={} refused ({} more since the last report): {}", where, *held_back, why_);
  }
}

PeerGuard::PeerGuard(zmq::context_t& context,
                     const std::string& client_key,
                     monitor::Metrics& metrics,
                     monitor::Logger logger)
    : context_(context),
      logger_(logger),
      client_key_(BinaryKey(client_key)),
      plain_("plain", "it does not encrypt; only processes of this run may connect.", metrics),
      server_key_("server_key", "it has the server key of another run, or of none.", metrics),
      unknown_client_("client_key", "its key is not the one of this run's clients.", metrics),
      broken_("broken", "it speaks no ZeroMQ, or left in the middle of the handshake.", metrics),
      questions_(BindQuestions(context)),
      io_(
          "peer.guard", logger, [this](IoThread& io) { Run(io); }, [] {}) {}

void PeerGuard::Watch(zmq::socket_t& socket) {
  const std::string name =
      "inproc://handshakes-" + std::to_string(reinterpret_cast<std::uintptr_t>(socket.handle()));
  const int events = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                     ZMQ_EVENT_MONITOR_STOPPED;
  try {
    if (zmq_socket_monitor(socket.handle(), name.c_str(), events) != 0) throw zmq::error_t();
    zmq::socket_t link(context_, zmq::socket_type::pair);
    link.set(zmq::sockopt::linger, 0);
    // Here, not in the guard's thread: libzmq would wait with an event for somebody to take it.
    link.connect(name);
    std::lock_guard lock(mutex_);
    new_links_.push_back(std::move(link));
  } catch (const zmq::error_t& error) {
    throw core::IoError({.what = "cannot watch who connects to a socket",
                         .why = std::string(error.what()) + ".",
                         .fix = "raise `ulimit -n`"});
  }
  io_.Wake();
}

void PeerGuard::Run(IoThread& io) {
  while (!io.stopping()) {
    std::vector<zmq::socket_ref> readable = {questions_};
    readable.insert(readable.end(), links_.begin(), links_.end());
    io.Wait(readable, core::TimePoint::max());
    {
      std::lock_guard lock(mutex_);
      links_.insert(links_.end(),
                    std::make_move_iterator(new_links_.begin()),
                    std::make_move_iterator(new_links_.end()));
      new_links_.clear();
    }
    AnswerQuestions();
    std::erase_if(links_, [&](zmq::socket_t& link) { return !TakeHandshakes(link); });
  }
}

void PeerGuard::AnswerQuestions() {
  for (int i = 0; i < kMaxBurst; ++i) {
    const auto question = TryReceiveParts(questions_);
    if (!question) return;
    const bool admits = Admits(*question);
    const std::array<std::string, 6> answer = {"1.0",
                                               question->size() > 1 ? question->at(1) : "",
                                               admits ? "200" : "400",
                                               admits ? "OK" : "not a client of this run",
                                               "",   // User id.
                                               ""};  // Metadata.
    for (std::size_t part = 0; part < answer.size(); ++part) {
      const bool more = part + 1 < answer.size();
      // The asker is a thread of this process that waits for the answer.
      [[maybe_unused]] const auto sent = questions_.send(
          zmq::buffer(answer[part]), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
}

// Parts of a question: version, request id, domain, address, identity, mechanism, credentials.
bool PeerGuard::Admits(const std::vector<std::string>& question) {
  if (question.size() == 7 && question[0] == "1.0" && question[2] == kGuardDomain &&
      question[5] == "CURVE" && question[6] == client_key_) {
    return true;
  }
  unknown_client_.Add(question.size() > 3 ? question[3] : "?", *logger_);
  return false;
}

bool PeerGuard::TakeHandshakes(zmq::socket_t& link) {
  for (int i = 0; i < kMaxBurst; ++i) {
    const auto parts = TryReceiveParts(link);
    if (!parts) return true;
    const Handshake handshake = ToHandshake(*parts);
    if (handshake.event == ZMQ_EVENT_MONITOR_STOPPED) return false;
    if (handshake.detail == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH) {
      plain_.Add(handshake.where, *logger_);
    } else if (handshake.detail == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC) {
      server_key_.Add(handshake.where, *logger_);
    } else {
      broken_.Add(handshake.where, *logger_);
    }
  }
  return true;
}

}  // namespace londi::transport
