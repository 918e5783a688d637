#pragma once

#include <string>

#include "core/error.h"

namespace londi::core {

// The disk, a quota or a limit on the size of files leaves no room. What is there already is
// unharmed, and the same may succeed once there is room.
class NoRoomError : public IoError {
 public:
  using IoError::IoError;
};

// Throws NoRoomError or IoError, as errno `error` asks for; the text's `why` is its meaning.
[[noreturn]] void ThrowIoError(int error, std::string what, std::string fix);

}  // namespace londi::core
