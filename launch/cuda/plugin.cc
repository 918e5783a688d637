// liblondi_cuda.so: the only part of londi that links CUDA, NCCL and LibTorch's CUDA half.
#include <ATen/ATen.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>

namespace {

void Put(const std::string& from, char* text, unsigned long size) {
  const auto length = std::min<unsigned long>(from.size(), size - 1);
  std::memcpy(text, from.data(), length);
  text[length] = '\0';
}

// 22809 -> "2.28.9"
std::string NcclVersion() {
  int version = 0;
  ncclGetVersion(&version);
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

std::string Versions() {
  int runtime = 0, driver = 0;
  cudaRuntimeGetVersion(&runtime);
  cudaDriverGetVersion(&driver);
  return "runtime " + std::to_string(runtime / 1000) + "." + std::to_string(runtime % 1000 / 10) +
         ", driver for " + (driver == 0 ? "none" : std::to_string(driver / 1000)) + ", NCCL " +
         NcclVersion();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int londi_cuda_describe(char* text,
                                                                          unsigned long size) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    Put("CUDA: built in (" + Versions() + "), but no GPU can be used here: " +
            (error == cudaSuccess ? "none was found" : cudaGetErrorString(error)) +
            ". Install the NVIDIA driver, or set device: cpu.",
        text,
        size);
    return 0;
  }
  std::string devices;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    if (cudaGetDeviceProperties(&properties, i) != cudaSuccess) continue;
    devices += "\n  " + std::to_string(i) + ": " + properties.name + ", " +
               std::to_string(properties.totalGlobalMem >> 30) + " GiB, compute capability " +
               std::to_string(properties.major) + "." + std::to_string(properties.minor);
  }
  Put("CUDA: usable (" + Versions() + ")" + devices, text, size);
  return 1;
}

extern "C" __attribute__((visibility("default"))) int londi_cuda_check(char* text,
                                                                       unsigned long size) {
  try {
    const at::Tensor a = at::linspace(-1, 1, 256 * 384).reshape({256, 384});
    const at::Tensor b = at::linspace(1, -1, 384 * 128).reshape({384, 128});
    const at::Tensor on_gpu = at::matmul(a.to(at::kCUDA), b.to(at::kCUDA)).to(at::kCPU);
    const double difference = (on_gpu - at::matmul(a, b)).abs().max().item<double>();
    Put("largest difference between GPU and CPU in a 256 x 384 x 128 product: " +
            std::to_string(difference),
        text,
        size);
    return difference < 1e-2 ? 1 : 0;  // fp32 sums of 384 products of size 1; TF32 stays below.
  } catch (const std::exception& error) {
    Put(error.what(), text, size);
    return 0;
  }
}
