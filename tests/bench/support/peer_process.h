#pragma once

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace londi::bench {

// Another program that measures itself when asked, so that its figures and ours come from the same
// minute: it prints "ready", then answers every line it reads with one line of numbers, until its
// input ends.
class PeerProcess {
 public:
  explicit PeerProcess(const std::vector<std::string>& command) : name_(command.at(0)) {
    int to_child[2], from_child[2];
    if (pipe(to_child) != 0 || pipe(from_child) != 0) throw std::runtime_error("pipe failed");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to_child[0], STDIN_FILENO);
      dup2(from_child[1], STDOUT_FILENO);
      for (const int fd : {to_child[0], to_child[1], from_child[0], from_child[1]}) close(fd);
      std::vector<char*> arguments;
      for (const std::string& argument : command)
        arguments.push_back(const_cast<char*>(argument.c_str()));
      arguments.push_back(nullptr);
      execvp(arguments[0], arguments.data());
      _exit(127);
    }
    close(to_child[0]);
    close(from_child[1]);
    to_ = to_child[1];
    from_ = from_child[0];
    if (ReadLine() != "ready") throw std::runtime_error(name_ + " did not say that it is ready");
  }
  ~PeerProcess() {
    close(to_);
    close(from_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }
  PeerProcess(const PeerProcess&) = delete;
  PeerProcess& operator=(const PeerProcess&) = delete;

  // Each throws std::runtime_error when the peer ends, or is silent for five minutes.
  std::vector<double> Ask(const std::string& question) {
    Tell(question);
    return Hear();
  }
  // Ask in two steps: several peers work at once.
  void Tell(const std::string& question) {
    const std::string line = question + "\n";
    if (write(to_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
      throw std::runtime_error(name_ + " does not read");
  }
  std::vector<double> Hear() {
    std::istringstream answer(ReadLine());
    std::vector<double> numbers;
    for (double number; answer >> number;) numbers.push_back(number);
    return numbers;
  }

 private:
  static constexpr int kLongestAnswerMs = 300'000;

  std::string ReadLine() {
    std::string line;
    for (char byte = 0;;) {
      pollfd readable{from_, POLLIN, 0};
      if (poll(&readable, 1, kLongestAnswerMs) != 1 || read(from_, &byte, 1) != 1)
        throw std::runtime_error(name_ + " gave no answer");
      if (byte == '\n') return line;
      line += byte;
    }
  }

  const std::string name_;
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace londi::bench
