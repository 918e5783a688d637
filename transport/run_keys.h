#pragma once

#include <filesystem>
#include <string>

namespace londi::transport {

// A CURVE key pair (Curve25519, rfc.zeromq.org/spec/25), both halves as Z85 text of 40 characters.
struct KeyPair {
  std::string public_key;
  std::string secret_key;
};

// What makes a process a member of a run: every socket that is bound has the server pair, every
// socket that connects the client pair. New for each `londi train`, see
// docs/decisions/0015-curve-keys.md. The secret halves are never logged, never in the
// configuration, never on a command line.
struct RunKeys {
  KeyPair server;
  KeyPair client;
};

// Fresh keys from the system's random numbers. Throws core::UnavailableError where libzmq was built
// without CURVE.
RunKeys MakeRunKeys();

// Replaces `file`, readable and writable by its owner alone (mode 0600). Throws core::IoError.
void WriteRunKeys(const std::filesystem::path& file, const RunKeys& keys);

// Throws core::IoError when `file` is missing, belongs to another user, is accessible to anybody
// but its owner, is a link, or does not hold keys.
RunKeys ReadRunKeys(const std::filesystem::path& file);

}  // namespace londi::transport
