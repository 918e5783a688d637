#pragma once

#include <stdexcept>
#include <string>

namespace londi::core {

// What a person needs to get on: the thing that is wrong, the reason, and what to do about it.
struct ErrorText {
  std::string what;
  std::string why;
  std::string fix;
};

// Thrown when the caller cannot go on. Expected outcomes (closed queue, cache miss, deadline
// passed) are values.
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorText text);
  const ErrorText& text() const { return text_; }

 private:
  ErrorText text_;
};

// The configuration or the command line asks for something impossible.
class ConfigError : public Error {
 public:
  using Error::Error;
};

// Throws ConfigError with these three unless it `holds`.
void RequireConfig(bool holds, std::string what, std::string why, std::string fix);

// A file, a folder or a socket refused.
class IoError : public Error {
 public:
  using Error::Error;
};

// A peer sent what the protocol forbids.
class ProtocolError : public Error {
 public:
  using Error::Error;
};

// A model folder, tokenizer or checkpoint cannot be used.
class ModelError : public Error {
 public:
  using Error::Error;
};

// What was asked for costs more than it may. Nothing was spent.
class OverBudgetError : public Error {
 public:
  using Error::Error;
};

// A peer or a device did not answer in time.
class UnavailableError : public Error {
 public:
  using Error::Error;
};

}  // namespace londi::core
