#pragma once

#include <string>

namespace londi::inference {

// "auto", "cpu", "cuda" or "cuda:<index>" -> "cpu" or "cuda:<index>". auto = cuda where there is a
// usable one. LibTorch's CUDA half is not linked: where CUDA is asked for (or "auto") and no
// plug-in has brought it in yet, it is loaded from LibTorch's folder. `key`: of the option, for
// errors. Throws core::ConfigError for another text, core::UnavailableError when a GPU is asked for
// and cannot be used.
std::string ResolveDevice(const std::string& device, const std::string& key = "device");

}  // namespace londi::inference
