#include "core/weights.h"

#include "core/error.h"

namespace londi::core {

const NamedArray& WeightsSnapshot::Find(const std::string& name) const {
  for (const NamedArray& array : arrays) {
    if (array.name == name) return array;
  }
  throw ProtocolError(
      {.what =
           "weights version " + std::to_string(version.value) + " lack the array '" + name + "'",
       .why = "the sender's network '" + architecture + "' is another one than the reader's",
       .fix = "run learner and actors from the same build and configuration"});
}

}  // namespace londi::core
