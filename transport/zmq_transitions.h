#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "transport/channel.h"
#include "transport/channel_context.h"
#include "transport/transition_spool.h"

// Transitions over ZeroMQ: DEALER (actor) -> ROUTER (learner). Batches go out while credits last;
// the source answers with cumulative acknowledgements. Whenever a sink is unsure (new connection,
// silence, a gap reported) it sends a probe, and the answer says from which row on to send again.
namespace londi::transport {

struct TransitionSinkOptions {
  SpoolOptions spool;
  // Where unacknowledged rows are kept for a later process (spool_journal.h); empty: nowhere.
  std::filesystem::path journal_folder;
  // The sink goes on with a stream that an earlier process began; rows up to this one need nobody.
  core::Sequence after{0};
  std::chrono::milliseconds probe_after{
      500};  // Silence of the source while rows are unacknowledged.
};

class ZmqTransitionSink : public TransitionSink {
 public:
  // Where the learner is; a restarted learner has another endpoint. Empty: nowhere yet. Does not
  // block.
  virtual void SetEndpoint(const std::string& endpoint) = 0;
};
std::unique_ptr<ZmqTransitionSink> MakeZmqTransitionSink(const ChannelContext& context,
                                                         const TransitionSinkOptions& options = {});

struct TransitionSourceOptions {
  std::int64_t initial_credits =
      4096;  // Rows a stream may have under way before its first Ack, and when it drains; >= 1.
  std::size_t max_batches =
      1 << 16;  // Received and not yet taken by Receive; more are left to be sent again.
  std::size_t max_streams = 1 << 16;
  void Validate() const;  // Throws core::ConfigError.
};

class ZmqTransitionSource : public TransitionSource {
 public:
  // What sinks connect to; kTransitionsEndpoint of the registration.
  virtual const std::string& endpoint() const = 0;
};
// `restored`: the marks of rows that are in the log already; senders go on behind them.
std::unique_ptr<ZmqTransitionSource> MakeZmqTransitionSource(
    const ChannelContext& context,
    const TransitionSourceOptions& options = {},
    const StreamWatermarks::Snapshot& restored = {});

}  // namespace londi::transport
