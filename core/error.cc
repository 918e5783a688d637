#include "core/error.h"

#include <utility>

namespace londi::core {
namespace {

std::string Join(const ErrorText& text) {
  std::string joined = text.what;
  if (!text.why.empty()) joined += "\n  why: " + text.why;
  if (!text.fix.empty()) joined += "\n  fix: " + text.fix;
  return joined;
}

}  // namespace

Error::Error(ErrorText text) : std::runtime_error(Join(text)), text_(std::move(text)) {}

void RequireConfig(bool holds, std::string what, std::string why, std::string fix) {
  if (holds) return;
  throw ConfigError({.what = std::move(what), .why = std::move(why), .fix = std::move(fix)});
}

}  // namespace londi::core
