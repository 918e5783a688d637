// Entry point of a libFuzzer binary; LONDI_FUZZ_TARGET names what it tests.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/fuzz/transport/fuzz_targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  londi::fuzz::RunTarget(LONDI_FUZZ_TARGET, {reinterpret_cast<const char*>(data), size});
  return 0;
}
