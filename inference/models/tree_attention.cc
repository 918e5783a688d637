#include "inference/models/tree_attention.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace londi::inference {
namespace {

constexpr float kHidden = -std::numeric_limits<float>::infinity();

void FillMask(const TreeRows& request, float* mask) {
  const std::int64_t width = request.cached + request.rows();
  const std::int64_t prompt_end = request.cached + request.prompt;
  for (std::int64_t i = 0; i < request.prompt; ++i, mask += width) {
    std::fill(mask, mask + request.cached + i + 1, 0.0f);
    std::fill(mask + request.cached + i + 1, mask + width, kHidden);
  }
  const auto& nodes = request.trie->nodes();
  for (const CandidateTrie::Node& node : nodes) {
    if (node.inner < 0) continue;
    std::fill(mask, mask + prompt_end, 0.0f);
    std::fill(mask + prompt_end, mask + width, kHidden);
    mask[prompt_end + node.inner] = 0;
    for (std::int32_t above = node.parent; above != CandidateTrie::kRoot;
         above = nodes[static_cast<std::size_t>(above)].parent) {
      mask[prompt_end + nodes[static_cast<std::size_t>(above)].inner] = 0;
    }
    mask += width;
  }
}

at::Tensor HeadsFirst(const at::Tensor& x) { return x.transpose(0, 1).unsqueeze(0); }

}  // namespace

CachedTreeAttention::CachedTreeAttention(std::vector<TreeRows> requests,
                                         at::Device device,
                                         std::function<void()> on_progress)
    : requests_(std::move(requests)), on_progress_(std::move(on_progress)) {
  std::int64_t size = 0;
  for (const TreeRows& request : requests_) {
    if (request.rows() > 1) size += request.rows() * (request.cached + request.rows());
  }
  at::Tensor all = at::empty({size}, at::TensorOptions().dtype(at::kFloat));
  std::int64_t at = 0;
  std::vector<std::int64_t> offsets;
  for (const TreeRows& request : requests_) {
    offsets.push_back(at);
    if (request.rows() == 1) continue;
    FillMask(request, all.data_ptr<float>() + at);
    at += request.rows() * (request.cached + request.rows());
  }
  all = all.to(device);
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const std::int64_t rows = requests_[i].rows(), width = requests_[i].cached + rows;
    masks_.push_back(rows == 1 ? at::Tensor()
                               : all.narrow(0, offsets[i], rows * width).view({1, 1, rows, width}));
  }
}

at::Tensor CachedTreeAttention::Attend(std::int64_t layer,
                                       const at::Tensor& q,
                                       const at::Tensor& k,
                                       const at::Tensor& v) {
  const std::int64_t num_heads = q.size(1), num_kv_heads = k.size(1), head_dim = q.size(2);
  at::Tensor attended = at::empty({q.size(0), num_heads, head_dim}, q.options());
  for (std::size_t i = 0; i < requests_.size(); ++i) {
    const TreeRows& request = requests_[i];
    const std::int64_t rows = request.rows(), width = request.cached + rows;
    const at::Tensor kv = request.slab->kv.select(0, layer).narrow(1, 0, width);
    const at::Tensor keys = kv.narrow(0, 0, num_kv_heads);
    const at::Tensor values = kv.narrow(0, num_kv_heads, num_kv_heads);
    keys.narrow(1, request.cached, rows).copy_(k.narrow(0, request.begin, rows).transpose(0, 1));
    values.narrow(1, request.cached, rows).copy_(v.narrow(0, request.begin, rows).transpose(0, 1));
    const std::optional<at::Tensor> mask =
        masks_[i].defined() ? std::optional(masks_[i]) : std::nullopt;
    const at::Tensor out =
        at::scaled_dot_product_attention(HeadsFirst(q.narrow(0, request.begin, rows)),
                                         keys.unsqueeze(0),
                                         values.unsqueeze(0),
                                         mask,
                                         /*dropout_p=*/0,
                                         /*is_causal=*/false,
                                         /*scale=*/{},
                                         /*enable_gqa=*/num_heads != num_kv_heads);
    attended.narrow(0, request.begin, rows).copy_(out.squeeze(0).transpose(0, 1));
    if (on_progress_) on_progress_();
  }
  return attended.view({q.size(0), num_heads * head_dim});
}

}  // namespace londi::inference
