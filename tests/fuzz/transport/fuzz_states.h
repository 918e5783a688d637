#pragma once

#include <functional>
#include <memory>

#include "transport/frame.h"

namespace londi::fuzz {

// The state behind a socket, of what its messages change: takes one message after the other. Throws
// core::ProtocolError where the socket refuses a message, std::logic_error where the state is not
// what its header promises.
using TakesMessages = std::function<void(const transport::Frame&)>;

// The coordinator's members, of whom there are at most two: registrations, renewals, farewells. A
// tenth of a second passes with each message, leases last one.
TakesMessages MakeMembers();

// Both ends of the way of rows: the learner's watermarks (batches, probes) and an actor's spool of
// 64 rows (acknowledgements), of stream {3, 2}.
TakesMessages MakeRowsUnderWay();

}  // namespace londi::fuzz
