// For LD_PRELOAD: whoever runs under it lives with a time of day that somebody sets every tenth of
// a second, forward and back by minutes to weeks. All processes see the same jumps, as they do on a
// machine whose clock is set. CLOCK_MONOTONIC goes on. The kernel's own use of the time of day
// (times of files, waits that were begun until a time of day) is not touched.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

namespace {

constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kShifts[] = {
    0, kHour, -kDay, 3 * kDay, -5 * kHour, 30 * kDay, -2 * 60, -7 * kDay};
constexpr std::int64_t kPerSecond = 10;

// No libc on the way: it would call the functions below.
timespec Ask(clockid_t clock) {
  timespec time{};
  syscall(SYS_clock_gettime, clock, &time);
  return time;
}

timespec TimeOfDay() {
  const timespec steady = Ask(CLOCK_MONOTONIC);
  const std::int64_t jump =
      steady.tv_sec * kPerSecond + steady.tv_nsec / (1'000'000'000 / kPerSecond);
  timespec time = Ask(CLOCK_REALTIME);
  time.tv_sec += kShifts[jump % std::int64_t{sizeof kShifts / sizeof *kShifts}];
  return time;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* time) noexcept {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) {
    return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  *time = TimeOfDay();
  return 0;
}

int gettimeofday(timeval* time, void*) noexcept {
  const timespec now = TimeOfDay();
  *time = {.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* out) noexcept {
  const timespec now = TimeOfDay();
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}

}  // extern "C"
