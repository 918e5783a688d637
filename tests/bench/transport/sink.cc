// An actor of bench_growth: a process with a ZeroMQ sink of its own.
//
//   bench_sink ENDPOINT ACTOR FEATURES
//
// Speaks as tests/bench/support/peer_process.h says: asked for a number of rows it hands them to
// its sink, and answers with the CPU seconds of its life so far.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "tests/bench/support/figures.h"
#include "transport/zmq_transitions.h"

namespace {

using namespace londi;

void SendRows(transport::TransitionSink& sink, core::Transition& row, std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i) {
    ++row.sequence.value;
    if (!sink.Push(row)) std::abort();
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "bench_sink ENDPOINT ACTOR FEATURES\n");
    return 2;
  }
  monitor::Metrics metrics;
  const monitor::Logger logger = monitor::MakeNullLogger();
  transport::Sockets sockets(std::nullopt, metrics, logger);
  const auto session =
      std::make_shared<transport::Session>(core::RunId(1), core::Epoch(1), core::Incarnation(1));
  const auto sink = transport::MakeZmqTransitionSink({sockets, session, metrics, logger});
  sink->SetEndpoint(argv[1]);
  core::Transition row;
  row.actor = core::ActorId(std::atoll(argv[2]));
  row.incarnation = core::Incarnation(1);
  row.features.assign(static_cast<std::size_t>(std::atoll(argv[3])), 0x3c00);
  std::puts("ready");
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    SendRows(*sink, row, std::atoll(line.c_str()));
    std::printf("%.6f\n", bench::CpuSeconds());
    std::fflush(stdout);
  }
}
