#pragma once

#include <string>

#include "monitor/log.h"

namespace londi::launch {

// What CUDA is to this process. The main binary links only LibTorch's CPU half; a build with the
// cuda preset puts liblondi_cuda.so beside it, which brings the CUDA half in when it is loaded.
struct CudaStatus {
  bool built = false;   // The plug-in is there and could be loaded.
  bool usable = false;  // ... and there is a GPU with a driver.
  std::string text;     // For people: devices and versions, or what is missing and what to do.
};

// Loads the plug-in, once per process. Afterwards LibTorch sees the GPUs, if there are any.
// Thread-safe.
const CudaStatus& LoadCuda();

// Before something is computed on `device`, a value of a configuration's device keys: brings CUDA
// in where it may be needed, and logs what there is. Every role calls it, whatever process it is
// in.
void LoadCudaFor(const std::string& device, const monitor::Logger& logger);

// Multiplies two matrices on the GPU and on the CPU. Returns a text that says how far apart the
// results are; throws core::UnavailableError when there is no usable GPU, core::Error when the
// results differ.
std::string CheckGpu();

// Names of what the plug-in exports (launch/cuda/plugin.cc). Both fill `text` (at most `size`
// bytes, zero-terminated) and return 1 for yes, 0 for no.
inline constexpr const char* kDescribeCudaSymbol = "londi_cuda_describe";
inline constexpr const char* kCheckCudaSymbol = "londi_cuda_check";
using CudaEntry = int (*)(char* text, unsigned long size);

}  // namespace londi::launch
