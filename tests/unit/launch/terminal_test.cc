#include "launch/terminal.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>

namespace londi::launch {
namespace {

using namespace std::chrono_literals;

constexpr core::TimePoint kStart{1h};

// What a pipe gets.
std::string Said(const std::function<void(Terminal&)>& speak) {
  ::testing::internal::CaptureStdout();
  Terminal terminal(5s);
  speak(terminal);
  return ::testing::internal::GetCapturedStdout();
}

TEST(TerminalTest, APipeGetsALineOfProgressEveryFewSeconds) {
  EXPECT_EQ(Said([](Terminal& terminal) {
              terminal.Progress("begun", kStart);
              terminal.Progress("soon", kStart + 4s);
              terminal.Progress("later", kStart + 5s);
              terminal.Progress("at once", kStart + 6s);
            }),
            "begun\nlater\n");
}

// A study's evaluation of a second was never mentioned.
TEST(TerminalTest, OtherWorkIsSaidHoweverShortTheWorkBeforeItWas) {
  EXPECT_EQ(Said([](Terminal& terminal) {
              terminal.Progress("training", kStart);
              terminal.BeginWork();
              terminal.Progress("evaluating", kStart + 1s);
              terminal.Progress("evaluating still", kStart + 2s);
            }),
            "training\nevaluating\n");
}

}  // namespace
}  // namespace londi::launch
