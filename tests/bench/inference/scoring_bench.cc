// Scored requests per second of an LM: episodes whose prompts grow by about 12 tokens a step up to
// about 400 (200 on average), 6 candidate actions of one token each, as BabyAI-Text with the
// shipped tokenizers. Text in, proposal out: tokenization included, transport not.
//
//   bench_scoring [SECONDS [THREADS [BATCH[,BATCH...] [SIZE ...]]]]
//
// SIZE is WIDTHxLAYERS (4 heads, 1024 tokens, random weights) or a Hugging Face folder. One CSV row
// each:
// name,size,device,threads,batch,requests_per_s,tokens_per_s,ms_p50,ms_p99,prepare_share,gflops_per_s
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "inference/load_lm.h"
#include "inference/models/llama_scoring.h"

namespace {

using namespace londi;
using Clock = std::chrono::steady_clock;

const std::vector<std::string> kActions = {
    "turn left", "turn right", "go forward", "pick up", "drop", "toggle"};

std::vector<std::string> Sentences() {
  std::vector<std::string> sentences;
  for (const char* thing : {"wall", "red ball", "grey key", "blue box", "green door", "ball"}) {
    for (int ahead = 0; ahead < 6; ++ahead) {
      sentences.push_back(" You see a " + std::string(thing) + " " + std::to_string(ahead) +
                          " steps forward");
    }
  }
  return sentences;
}

// One token per phrase, as the shipped tokenizers have.
inference::TokenizerParts PhraseTokenizer() {
  inference::TokenizerParts parts;
  parts.pre_tokenizer.splitters.push_back(inference::MakeRegexSplitter(
      inference::Regex("[^\n,:]*[\n,:]|[^\n,:]+", inference::Regex::Syntax::kRegex),
      inference::SplitBehavior::kIsolated,
      false));
  parts.pre_tokenizer.prefix_space_at = 1;
  parts.model.ignore_merges = true;
  const auto add = [&](const std::string& token) {
    parts.model.vocab.emplace(token, static_cast<inference::TokenId>(parts.model.vocab.size()));
  };
  for (int byte = 0; byte < 256; ++byte) add(std::string(1, static_cast<char>(byte)));
  for (const char* word : {"Goal:", "Observation:", "Action:", " go to the red ball\n"}) add(word);
  for (const std::string& action : kActions) add(" " + action + "\n");
  for (const std::string& sentence : Sentences()) {
    for (const char* end : {",", "\n"}) add(sentence + end);
  }
  return parts;
}

std::unique_ptr<inference::LmScorer> MakeRandom(const std::string& size) {
  inference::ModelSpec spec;
  std::sscanf(size.c_str(), "%ldx%ld", &spec.hidden_size, &spec.num_layers);
  spec.vocab_size = 1024;
  spec.intermediate_size = (spec.hidden_size * 8 / 3 + 7) / 8 * 8;
  spec.num_heads = spec.num_kv_heads = 4;
  spec.head_dim = spec.hidden_size / spec.num_heads;
  spec.max_positions = 1024;
  spec.tie_word_embeddings = true;
  return std::make_unique<inference::LmScorer>(
      PhraseTokenizer(),
      inference::MakeLlamaScoring(inference::RandomLlama(spec, 1, c10::Device("cpu")),
                                  std::size_t{512} << 20),
      "random");
}

// Episodes that go on side by side.
class Episodes {
 public:
  explicit Episodes(int count) : sentences_(Sentences()) {
    for (int i = 0; i < count; ++i) {
      requests_.push_back({.session = next_session_++});
      for (const std::string& action : kActions)
        requests_.back().candidates.push_back(" " + action);
      Restart(requests_.back());
      for (auto step = random_() % 30; step > 0; --step) Step(requests_.back());
    }
  }

  const std::vector<core::LmRequest>& requests() const { return requests_; }

  void Step() {
    for (core::LmRequest& request : requests_) Step(request);
  }

 private:
  void Restart(core::LmRequest& request) {
    request.session = next_session_++;
    request.prompt = "Goal: go to the red ball\n";
    AddObservation(request);
    steps_[request.session] = 0;
  }
  void Step(core::LmRequest& request) {
    if (++steps_[request.session] > 32) return Restart(request);
    request.prompt += " " + kActions[random_() % kActions.size()] + "\n";
    AddObservation(request);
  }
  void AddObservation(core::LmRequest& request) {
    request.prompt += "Observation:";
    for (int i = 0; i < 9; ++i) {
      request.prompt += sentences_[random_() % sentences_.size()] + (i == 8 ? "\n" : ",");
    }
    request.prompt += "Action:";
  }

  const std::vector<std::string> sentences_;
  std::mt19937 random_{7};
  std::uint64_t next_session_ = 1;
  std::vector<core::LmRequest> requests_;
  std::map<std::uint64_t, int> steps_;
};

void Measure(inference::LmScorer& scorer, const std::string& size, int batch, double seconds) {
  Episodes episodes(batch);
  std::vector<double> milliseconds;
  double prepare = 0, total = 0, gflops = 0;
  std::int64_t tokens = 0, requests = 0;
  for (int round = 0; total < seconds; ++round) {
    const auto begin = Clock::now();
    std::vector<inference::PreparedRequest> prepared;
    for (const core::LmRequest& request : episodes.requests()) {
      auto one = scorer.Prepare(request);
      if (const auto* error = std::get_if<core::ErrorText>(&one)) throw core::Error(*error);
      prepared.push_back(std::get<inference::PreparedRequest>(std::move(one)));
    }
    const auto middle = Clock::now();
    const auto proposals = scorer.Score(prepared);
    const auto end = Clock::now();
    episodes.Step();
    if (round < 5) continue;  // Warm-up: whole prompts are computed.
    prepare += std::chrono::duration<double>(middle - begin).count();
    total += std::chrono::duration<double>(end - begin).count();
    milliseconds.push_back(std::chrono::duration<double, std::milli>(end - begin).count());
    for (const core::Proposal& proposal : proposals) {
      tokens += proposal.usage.computed_tokens;
      gflops += proposal.usage.flops * 1e-9;
      ++requests;
    }
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("scoring,%s,cpu,%d,%d,%.0f,%.0f,%.2f,%.2f,%.2f,%.1f\n",
              size.c_str(),
              at::get_num_threads(),
              batch,
              static_cast<double>(requests) / total,
              static_cast<double>(tokens) / total,
              milliseconds[milliseconds.size() / 2],
              milliseconds[milliseconds.size() * 99 / 100],
              prepare / total,
              gflops / total);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  at::set_num_threads(argc > 2 ? std::atoi(argv[2]) : 2);
  const std::string batches = argc > 3 ? argv[3] : "1,4,16,64";
  std::vector<std::string> sizes(argv + (argc > 4 ? 4 : argc), argv + argc);
  if (sizes.empty()) sizes = {"64x2", "128x3", "192x4"};
  std::puts(
      "name,size,device,threads,batch,requests_per_s,tokens_per_s,ms_p50,ms_p99,prepare_share,"
      "gflops_per_s");
  for (const std::string& size : sizes) {
    for (std::size_t at = 0; at < batches.size(); at = batches.find(',', at) + 1) {
      const auto scorer = std::filesystem::is_directory(size)
                              ? inference::LoadLm(size, {.device = "cpu"})
                              : MakeRandom(size);
      Measure(*scorer, size, std::atoi(batches.c_str() + at), seconds);
      if (batches.find(',', at) == std::string::npos) break;
    }
  }
}
