#include "inference/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/error.h"

namespace londi::inference {
namespace {

// Loads libtorch_cuda.so from where libtorch_cpu.so lies. "" or why it cannot be loaded.
std::string LoadCudaHalf() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&at::globalContext), &info) == 0) {
    return "LibTorch's folder is unknown";
  }
  const auto path = std::filesystem::path(info.dli_fname).parent_path() / "libtorch_cuda.so";
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return "";
  const char* error = dlerror();
  return error == nullptr ? "libtorch_cuda.so cannot be loaded" : error;
}

// Kept for the process's life: a library that registers kernels cannot be unloaded.
const std::string& LoadCudaHalfOnce() {
  static const std::string failure = LoadCudaHalf();
  return failure;
}

}  // namespace

std::string ResolveDevice(const std::string& device, const std::string& key) {
  if (device == "cpu") return device;
  const std::string index = device.starts_with("cuda:") ? device.substr(5) : "0";
  const bool good_index =
      !index.empty() && index.size() <= 3 &&
      std::all_of(index.begin(), index.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  const bool wants_cuda = device == "cuda" || (device.starts_with("cuda:") && good_index);
  if (device != "auto" && !wants_cuda) {
    throw core::ConfigError({.what = key + " is '" + device + "'",
                             .why = "there is no such kind of device",
                             .fix = "use auto, cpu, cuda or cuda:<index>"});
  }
  std::string failure;
  if (!at::hasCUDA()) failure = LoadCudaHalfOnce();
  const int count = at::hasCUDA() ? static_cast<int>(at::detail::getCUDAHooks().deviceCount()) : 0;
  if (std::stoi(index) < count) return "cuda:" + index;
  if (device == "auto") return "cpu";
  if (failure.empty()) {
    failure = count == 0 ? "there is no NVIDIA driver or device"
                         : "there are only " + std::to_string(count) + " devices";
  }
  throw core::UnavailableError(
      {.what = key + " is '" + device + "', but this GPU cannot be used",
       .why = failure,
       .fix = "set " + key +
              " to auto or cpu, or install the NVIDIA driver and CUDA's libraries "
              "(./londi --cuda setup)"});
}

}  // namespace londi::inference
