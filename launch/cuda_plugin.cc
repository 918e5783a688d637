#include "launch/cuda_plugin.h"

#include <dlfcn.h>
#include <spdlog/spdlog.h>

#include <array>
#include <filesystem>

#include "core/error.h"

namespace londi::launch {
namespace {

constexpr const char* kPluginFile = "liblondi_cuda.so";

struct Plugin {
  CudaStatus status;
  CudaEntry check = nullptr;
};

Plugin Load() {
  const auto file = std::filesystem::read_symlink("/proc/self/exe").parent_path() / kPluginFile;
  if (!std::filesystem::exists(file)) {
    return {.status = {
                .text = "CUDA: not in this build. Build it with `./londi --cuda setup` (needs the "
                        "CUDA 13 toolkit)."}};
  }
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    const char* error = dlerror();
    return {.status = {
                .text = std::string("CUDA: the plug-in cannot be loaded: ") + error +
                        ". Install the CUDA 13 toolkit, or add its libraries to LD_LIBRARY_PATH."}};
  }
  const auto describe = reinterpret_cast<CudaEntry>(dlsym(handle, kDescribeCudaSymbol));
  const auto check = reinterpret_cast<CudaEntry>(dlsym(handle, kCheckCudaSymbol));
  if (describe == nullptr || check == nullptr) {
    return {
        .status = {.text = "CUDA: the plug-in is of another version. Run `./londi --cuda setup`."}};
  }
  std::array<char, 4096> text{};
  const bool usable = describe(text.data(), text.size()) == 1;
  return {.status = {.built = true, .usable = usable, .text = text.data()}, .check = check};
}

const Plugin& LoadOnce() {
  static const Plugin plugin = Load();
  return plugin;
}

}  // namespace

const CudaStatus& LoadCuda() { return LoadOnce().status; }

void LoadCudaFor(const std::string& device, const monitor::Logger& logger) {
  if (device == "cpu") return;
  const CudaStatus& status = LoadCuda();
  logger->log(status.built ? spdlog::level::info : spdlog::level::debug, "{}", status.text);
}

std::string CheckGpu() {
  const Plugin& plugin = LoadOnce();
  if (!plugin.status.usable) {
    throw core::UnavailableError(
        {.what = "there is no GPU to check",
         .why = plugin.status.text,
         .fix = "run it on a machine with an NVIDIA GPU, with the cuda preset's build"});
  }
  std::array<char, 4096> text{};
  if (plugin.check(text.data(), text.size()) != 1) {
    throw core::Error({.what = "the GPU computes something else than the CPU",
                       .why = text.data(),
                       .fix = "check driver and hardware (nvidia-smi)"});
  }
  return text.data();
}

}  // namespace londi::launch
