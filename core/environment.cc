#include "core/environment.h"

#include "core/error.h"

namespace londi::core {

void ThrowInadmissible(std::string_view action, const std::vector<std::string>& admissible) {
  std::string known;
  for (const std::string& text : admissible) known += (known.empty() ? "" : ", ") + text;
  throw Error({.what = "action '" + std::string(action) + "' is not admissible",
               .why = "the environment accepts now: " + known,
               .fix = "choose one of these texts exactly"});
}

}  // namespace londi::core
