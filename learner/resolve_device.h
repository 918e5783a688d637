#pragma once

#include <string>

namespace londi::learner {

// "auto", "cpu", "cuda" or "cuda:<index>" -> "cpu", "cuda" or "cuda:<index>". auto = cuda where
// there is a usable one. Throws core::ConfigError for another text, core::UnavailableError when a
// GPU is asked for and there is none.
std::string ResolveDevice(const std::string& device);

}  // namespace londi::learner
