#include "launch/shell_words.h"

#include <gtest/gtest.h>

namespace londi::launch {
namespace {

TEST(ShellWords, WhatAShellWouldChangeIsQuoted) {
  EXPECT_EQ(ShellWord("runs/my-run_1.yaml"), "runs/my-run_1.yaml");
  EXPECT_EQ(ShellWord("my runs"), "'my runs'");
  EXPECT_EQ(ShellWord("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellWord("$HOME"), "'$HOME'");
  EXPECT_EQ(ShellWord(""), "''");
}

TEST(ShellWords, EverySetIsAnOption) {
  EXPECT_EQ(SetOptions({}), "");
  EXPECT_EQ(SetOptions({"a.b=1", "c.d=[1, 2]"}), " --set a.b=1 --set 'c.d=[1, 2]'");
}

}  // namespace
}  // namespace londi::launch
