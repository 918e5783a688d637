#include "transport/run_keys.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

#include "core/error.h"

namespace londi::transport {
namespace {

using nlohmann::json;

constexpr std::size_t kZ85Length = 40;
constexpr std::size_t kMaxFileBytes = 4096;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() { close(fd_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

[[noreturn]] void ThrowRefused(const std::filesystem::path& file,
                               std::string why,
                               std::string fix =
                                   "let `londi train` make new keys: resume the run "
                                   "with `londi train --resume RUN`") {
  throw core::IoError({.what = "the run's keys in " + file.string() + " cannot be used",
                       .why = std::move(why),
                       .fix = std::move(fix)});
}

[[noreturn]] void ThrowNotWritten(const std::filesystem::path& file) {
  throw core::IoError({.what = "cannot write the run's keys to " + file.string(),
                       .why = std::string(std::strerror(errno)) + ".",
                       .fix = "check the folder's permissions and the free disk space"});
}

KeyPair MakeKeyPair() {
  std::array<char, kZ85Length + 1> public_key{}, secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw core::UnavailableError({.what = "no keys can be made for this run",
                                  .why = "libzmq was built without CURVE (libsodium).",
                                  .fix = "install Debian's libzmq5, or stay on this machine with "
                                         "--set transport.security=none"});
  }
  return {public_key.data(), secret_key.data()};
}

json ToJson(const KeyPair& pair) {
  return {{"public", pair.public_key}, {"secret", pair.secret_key}};
}

KeyPair FromJson(const json& root, const char* name, const std::filesystem::path& file) {
  KeyPair pair;
  if (const auto found = root.find(name); found != root.end() && found->is_object()) {
    const auto text = [&](const char* half) {
      const auto value = found->find(half);
      return value != found->end() && value->is_string() ? value->get<std::string>()
                                                         : std::string();
    };
    pair = {text("public"), text("secret")};
  }
  // A secret key whose public half is another one would make every handshake fail without a reason.
  std::array<char, kZ85Length + 1> derived{};
  if (pair.public_key.size() != kZ85Length || pair.secret_key.size() != kZ85Length ||
      zmq_curve_public(derived.data(), pair.secret_key.c_str()) != 0 ||
      pair.public_key != derived.data()) {
    ThrowRefused(file, std::string("its ") + name + " pair is no pair of CURVE keys.");
  }
  return pair;
}

std::string ReadAll(int fd, const std::filesystem::path& file) {
  std::string text(kMaxFileBytes, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) ThrowRefused(file, std::string(std::strerror(errno)) + ".");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

void RequirePrivate(int fd, const std::filesystem::path& file) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
    ThrowRefused(file, "it is not a regular file.");
  if (info.st_uid != geteuid()) ThrowRefused(file, "it belongs to another user.");
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    ThrowRefused(file,
                 "others than its owner may access it, so the keys may be known to them.",
                 "end the run and resume it, which makes new keys; only if nobody else can have "
                 "read them: chmod 600 " +
                     file.string());
  }
}

}  // namespace

RunKeys MakeRunKeys() { return {.server = MakeKeyPair(), .client = MakeKeyPair()}; }

void WriteRunKeys(const std::filesystem::path& file, const RunKeys& keys) {
  const std::string text =
      json{{"server", ToJson(keys.server)}, {"client", ToJson(keys.client)}}.dump(2) + "\n";
  const std::string fresh = file.string() + ".new";
  unlink(fresh.c_str());  // Of a killed writer. O_EXCL below: nobody else's file is ever filled.
  const File out(
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (out.fd() < 0) ThrowNotWritten(file);
  if (write(out.fd(), text.data(), text.size()) != std::ssize(text) || fsync(out.fd()) != 0 ||
      rename(fresh.c_str(), file.c_str()) != 0) {
    ThrowNotWritten(file);
  }
}

RunKeys ReadRunKeys(const std::filesystem::path& file) {
  const File in(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (in.fd() < 0) ThrowRefused(file, std::string(std::strerror(errno)) + ".");
  RequirePrivate(in.fd(), file);
  const json root = json::parse(ReadAll(in.fd(), file), nullptr, false);
  if (!root.is_object()) ThrowRefused(file, "it is not the JSON object that `londi train` writes.");
  return {.server = FromJson(root, "server", file), .client = FromJson(root, "client", file)};
}

}  // namespace londi::transport
