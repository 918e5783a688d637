#include "inference/models/llama_scoring.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <cstring>
#include <deque>
#include <set>
#include <utility>

#include "inference/models/kv_cache.h"
#include "inference/models/llama.h"
#include "inference/models/tree_attention.h"

namespace londi::inference {
namespace {

// What goes into one forward pass, and where its results are read.
struct PackedBatch {
  std::vector<TreeRows> requests;
  std::vector<std::int64_t> token_ids;
  std::vector<std::int64_t> positions;
  std::vector<std::int64_t>
      scored_rows;  // Rows whose logits are needed: last prompt tokens, nodes.
  std::vector<std::int64_t>
      prompt_ends;                      // [requests] the last prompt token's place in scored_rows.
  std::vector<std::int64_t> edge_rows;  // [edges] the parent's place in scored_rows.
  std::vector<std::int64_t> edge_logits;  // [edges] place of the logit in [scored rows * vocab].
};

void AddRequest(const ScoringRequest& request,
                KvSlab& slab,
                std::int64_t vocab_size,
                PackedBatch& batch) {
  const auto prompt_size = static_cast<std::int64_t>(request.prompt.size());
  const TreeRows rows{.begin = static_cast<std::int64_t>(batch.token_ids.size()),
                      .cached = static_cast<std::int64_t>(slab.tokens.size()),
                      .prompt = prompt_size - static_cast<std::int64_t>(slab.tokens.size()),
                      .trie = request.trie,
                      .slab = &slab};
  for (std::int64_t i = rows.cached; i < prompt_size; ++i) {
    batch.token_ids.push_back(request.prompt[static_cast<std::size_t>(i)]);
    batch.positions.push_back(i);
  }
  const auto prompt_end = static_cast<std::int64_t>(batch.scored_rows.size());
  batch.prompt_ends.push_back(prompt_end);
  batch.scored_rows.push_back(rows.begin + rows.prompt - 1);
  const auto& nodes = request.trie->nodes();
  for (const CandidateTrie::Node& node : nodes) {
    const std::int64_t parent_row =
        node.parent == CandidateTrie::kRoot
            ? prompt_end
            : prompt_end + 1 + nodes[static_cast<std::size_t>(node.parent)].inner;
    batch.edge_rows.push_back(parent_row);
    batch.edge_logits.push_back(parent_row * vocab_size + node.token);
    if (node.inner < 0) continue;
    batch.scored_rows.push_back(static_cast<std::int64_t>(batch.token_ids.size()));
    batch.token_ids.push_back(node.token);
    batch.positions.push_back(prompt_size + node.depth - 1);
  }
  batch.requests.push_back(rows);
}

at::Tensor ToDevice(const std::vector<std::int64_t>& values, at::Device device) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::memcpy(tensor.data_ptr(), values.data(), values.size() * sizeof(std::int64_t));
  return tensor.to(device);
}

class LlamaScoring final : public ScoringModel {
 public:
  LlamaScoring(LlamaWeights weights, std::size_t kv_cache_bytes)
      : weights_(std::move(weights)), cache_(weights_.spec, weights_.device(), kv_cache_bytes) {}

  const ModelSpec& spec() const override { return weights_.spec; }

  std::int64_t CountNewTokens(const ScoringRequest& request) const override {
    const std::int64_t cached =
        request.session == 0 ? 0 : cache_.CountCached(request.session, request.prompt);
    return static_cast<std::int64_t>(request.prompt.size()) - cached + request.trie->num_inner();
  }

  std::vector<ScoringResult> Score(std::span<const ScoringRequest> requests,
                                   const std::function<void()>& on_progress) override {
    const c10::InferenceMode inference_mode;
    std::deque<KvSlab> scratch;
    const PackedBatch batch = Pack(requests, scratch);
    const at::Device device = weights_.device();
    CachedTreeAttention attention(batch.requests, device, on_progress);
    const at::Tensor hidden = LlamaHidden(weights_,
                                          ToDevice(batch.token_ids, device),
                                          ToDevice(batch.positions, device),
                                          attention)
                                  .index_select(0, ToDevice(batch.scored_rows, device));
    const at::Tensor logits = LlamaLogits(weights_, hidden).to(at::kFloat);
    const at::Tensor log_probs =
        logits.view({-1})
            .index_select(0, ToDevice(batch.edge_logits, device))
            .sub_(at::logsumexp(logits, 1).index_select(0, ToDevice(batch.edge_rows, device)))
            .to(at::kCPU);
    const at::Tensor features = hidden.index_select(0, ToDevice(batch.prompt_ends, device))
                                    .to(at::kCPU, at::kFloat)
                                    .contiguous();
    for (std::size_t i = 0; i < requests.size(); ++i) {
      batch.requests[i].slab->tokens.assign(requests[i].prompt.begin(), requests[i].prompt.end());
    }
    cache_.Trim();
    return Unpack(requests, batch, log_probs, features);
  }

 private:
  // A session that is twice in a batch gets its slab once.
  PackedBatch Pack(std::span<const ScoringRequest> requests, std::deque<KvSlab>& scratch) {
    PackedBatch batch;
    std::set<std::uint64_t> sessions;
    for (const ScoringRequest& request : requests) {
      const std::int64_t room =
          static_cast<std::int64_t>(request.prompt.size()) + request.trie->num_inner();
      const bool has_slab = request.session != 0 && sessions.insert(request.session).second;
      KvSlab& slab = has_slab ? cache_.Acquire(request.session, request.prompt, room)
                              : scratch.emplace_back(cache_.MakeSlab(room));
      AddRequest(request, slab, weights_.spec.vocab_size, batch);
    }
    return batch;
  }

  std::vector<ScoringResult> Unpack(std::span<const ScoringRequest> requests,
                                    const PackedBatch& batch,
                                    const at::Tensor& log_probs,
                                    const at::Tensor& features) const {
    const float* edge = log_probs.data_ptr<float>();
    const float* feature = features.data_ptr<float>();
    std::vector<ScoringResult> results;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      const std::size_t num_edges = requests[i].trie->nodes().size();
      const auto num_nodes = static_cast<std::int64_t>(requests[i].trie->num_inner());
      const std::int64_t computed = batch.requests[i].rows();
      results.push_back({.edge_log_probs = {edge, edge + num_edges},
                         .features = {feature, feature + features.size(1)},
                         .computed_tokens = computed,
                         .computed_nodes = num_nodes,
                         .flops = ScoringFlops(weights_.spec, computed, 1 + num_nodes)});
      edge += num_edges;
      feature += features.size(1);
    }
    return results;
  }

  const LlamaWeights weights_;
  KvCache cache_;
};

}  // namespace

std::unique_ptr<ScoringModel> MakeLlamaScoring(LlamaWeights weights, std::size_t kv_cache_bytes) {
  return std::make_unique<LlamaScoring>(std::move(weights), kv_cache_bytes);
}

}  // namespace londi::inference
