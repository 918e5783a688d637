#include "learner/resolve_device.h"

#include <ATen/Context.h>

#include "core/error.h"

namespace londi::learner {

std::string ResolveDevice(const std::string& device) {
  if (device == "cpu") return device;
  const bool wants_cuda = device == "cuda" || device.starts_with("cuda:");
  if (device != "auto" && !wants_cuda) {
    throw core::ConfigError({.what = "learner.device is '" + device + "'",
                             .why = "there is no such kind of device",
                             .fix = "use auto, cpu or cuda"});
  }
  if (at::hasCUDA()) return wants_cuda ? device : "cuda";
  if (device == "auto") return "cpu";
  throw core::UnavailableError(
      {.what = "learner.device is '" + device + "', but no GPU can be used",
       .why = "this is a build without CUDA, or there is no NVIDIA driver or device",
       .fix = "set learner.device to auto or cpu, or start the learner on a machine with a "
              "GPU with the cuda preset's build"});
}

}  // namespace londi::learner
