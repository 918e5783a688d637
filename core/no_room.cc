#include "core/no_room.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace londi::core {

void ThrowIoError(int error, std::string what, std::string fix) {
  ErrorText text{std::move(what), std::strerror(error), std::move(fix)};
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) throw NoRoomError(std::move(text));
  throw IoError(std::move(text));
}

}  // namespace londi::core
