#include "launch/commands/device_command.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <thread>

#include "launch/cuda_plugin.h"

namespace londi::launch {
namespace {

int Show(bool check) {
  fmt::print("CPU: {} cores\n{}\n", std::thread::hardware_concurrency(), LoadCuda().text);
  if (check) fmt::print("{}\n", CheckGpu());
  return 0;
}

}  // namespace

void AddDeviceCommand(CLI::App& app, Chosen& chosen) {
  CLI::App* command = app.add_subcommand("device", "Show what this machine can compute on");
  auto check = std::make_shared<bool>(false);
  command->add_flag("--check", *check, "Also compare a matrix product of GPU and CPU");
  command->callback([check, &chosen] { chosen = [check] { return Show(*check); }; });
}

}  // namespace londi::launch
