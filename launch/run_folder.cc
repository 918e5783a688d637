#include "launch/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fstream>
#include <thread>

#include "core/error.h"

namespace londi::launch {
namespace {

constexpr std::chrono::seconds kDying{5};  // Of whoever held a lock when it was killed.
constexpr std::chrono::milliseconds kTryEvery{20};

[[noreturn]] void ThrowNotWritable(const std::filesystem::path& folder, const std::string& why) {
  throw core::IoError(
      {.what = fmt::format("cannot write to {}", folder.string()),
       .why = why,
       .fix = "make it writable, or choose another place with --set run.folder=FOLDER"});
}

std::string TimeStamp() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  char text[32];
  std::strftime(text, sizeof(text), "%Y%m%d-%H%M%S", &local);
  return text;
}

void MakeSubfolders(const RunFolder& run) {
  for (const auto& folder : {run.logs(), run.transitions(), run.checkpoints()}) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) ThrowNotWritable(folder, error.message());
  }
}

}  // namespace

RunFolder CreateRunFolder(const std::filesystem::path& parent, const std::string& name) {
  std::error_code error;
  std::filesystem::create_directories(parent, error);
  if (error) ThrowNotWritable(parent, error.message());
  const std::string stamp = fmt::format("{}-{}", name, TimeStamp());
  for (int attempt = 1;; ++attempt) {
    RunFolder run{parent / (attempt == 1 ? stamp : fmt::format("{}-{}", stamp, attempt))};
    const bool made = std::filesystem::create_directory(run.path, error);
    if (error) ThrowNotWritable(parent, error.message());
    if (!made) continue;  // Somebody else's, of the same second.
    run.path = std::filesystem::absolute(run.path).lexically_normal();
    MakeSubfolders(run);
    return run;
  }
}

std::optional<RunFolder> FindRun(const std::filesystem::path& path) {
  std::optional<RunFolder> newest;
  const auto consider = [&](const std::filesystem::path& folder) {
    if (!std::filesystem::exists(RunFolder{folder}.config())) return;
    if (!newest || folder > newest->path) newest = RunFolder{folder};
  };
  consider(path);
  if (newest) return newest;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(path, none)) consider(entry.path());
  return newest;
}

RunFolder OpenRunFolder(const std::filesystem::path& path) {
  const RunFolder run{std::filesystem::absolute(path).lexically_normal()};
  if (!std::filesystem::is_regular_file(run.config())) {
    throw core::IoError(
        {.what = fmt::format("{} is no run folder", path.string()),
         .why = fmt::format("there is no {} in it", run.config().filename().string()),
         .fix = "give a folder that `londi train` made, for example one of runs/"});
  }
  if (access(run.path.c_str(), W_OK) != 0) ThrowNotWritable(run.path, std::strerror(errno));
  MakeSubfolders(run);
  return run;
}

RunLock::RunLock(const RunFolder& folder)
    : fd_(open(folder.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) ThrowNotWritable(folder.path, std::strerror(errno));
  const auto deadline = std::chrono::steady_clock::now() + kDying;
  do {
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    std::this_thread::sleep_for(kTryEvery);
  } while (std::chrono::steady_clock::now() < deadline);
  close(fd_);
  throw core::IoError({.what = fmt::format("{} is in use", folder.path.string()),
                       .why = "another londi process trains or evaluates in it",
                       .fix = "wait for it, or end it first"});
}

RunLock::~RunLock() { close(fd_); }

void WriteFileAtomically(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path fresh = file.string() + ".new";
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    if (!out.good()) ThrowNotWritable(file, std::strerror(errno));
  }
  std::error_code error;
  std::filesystem::rename(fresh, file, error);
  if (error) ThrowNotWritable(file, error.message());
}

}  // namespace londi::launch
