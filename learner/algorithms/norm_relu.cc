#include "learner/algorithms/norm_relu.h"

#include <ATen/ATen.h>

#include <cmath>
#include <cstring>

#include "core/switcher_network.h"

namespace londi::learner {
namespace {

constexpr float kEpsilon = core::switcher_network::kLayerNormEpsilon;

// --- CPU --------------------------------------------------------------------------------------

// As wide as the registers of what runs it: of wider ones GCC keeps the halves in memory, which
// takes eight times as long.
typedef float Lanes4 __attribute__((vector_size(16)));
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));
template <class Lanes>
constexpr std::int64_t kLanes = sizeof(Lanes) / sizeof(float);

// Inlined into each of the functions below, which differ in the instructions they may use. By
// reference: how vectors are passed by value depends on the target.
#define LONDI_INLINE __attribute__((always_inline)) inline

template <class Lanes>
LONDI_INLINE void Load(const float* from, Lanes& to) {
  std::memcpy(&to, from, sizeof(to));
}
template <class Lanes>
LONDI_INLINE void Store(const Lanes& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}
template <class Lanes>
LONDI_INLINE float SumOf(const Lanes& lanes) {
  float sum = 0;
  for (std::int64_t i = 0; i < kLanes<Lanes>; ++i) sum += lanes[i];
  return sum;
}

struct ForwardRows {
  std::int64_t rows, width;
  const float *bias, *scale, *shift;
  float* product;             // Becomes the normalized rows where `hidden` is another array.
  float* hidden;              // May be `product`.
  float* inverse_deviations;  // May be nullptr.
};

template <class Lanes>
LONDI_INLINE void ForwardBody(const ForwardRows& in) {
  constexpr std::int64_t lanes = kLanes<Lanes>;
  const std::int64_t width = in.width, whole = width / lanes * lanes;
  for (std::int64_t row = 0; row < in.rows; ++row) {
    float* const x = in.product + row * width;
    float* const hidden = in.hidden + row * width;
    Lanes a, b, sums{};
    for (std::int64_t i = 0; i < whole; i += lanes) {
      Load(x + i, a);
      Load(in.bias + i, b);
      a += b;
      sums += a;
      Store(a, x + i);
    }
    float sum = SumOf(sums);
    for (std::int64_t i = whole; i < width; ++i) sum += x[i] += in.bias[i];
    const float mean = sum / static_cast<float>(width);

    sums = Lanes{};
    for (std::int64_t i = 0; i < whole; i += lanes) {
      Load(x + i, a);
      a -= mean;
      sums += a * a;
    }
    float squares = SumOf(sums);
    for (std::int64_t i = whole; i < width; ++i) squares += (x[i] - mean) * (x[i] - mean);
    const float inverse = 1 / std::sqrt(squares / static_cast<float>(width) + kEpsilon);
    if (in.inverse_deviations != nullptr) in.inverse_deviations[row] = inverse;

    Lanes scale, shift;
    for (std::int64_t i = 0; i < whole; i += lanes) {
      Load(x + i, a);
      Load(in.scale + i, scale);
      Load(in.shift + i, shift);
      a = (a - mean) * inverse;
      Store(a, x + i);
      a = scale * a + shift;
      a = a < 0 ? Lanes{} : a;  // A NaN stays one.
      Store(a, hidden + i);
    }
    for (std::int64_t i = whole; i < width; ++i) {
      x[i] = (x[i] - mean) * inverse;
      const float value = in.scale[i] * x[i] + in.shift[i];
      hidden[i] = value < 0 ? 0 : value;
    }
  }
}

struct BackwardRows {
  std::int64_t rows, width;
  const float* scale;
  const float *normalized, *hidden, *inverse_deviations;
  float* gradient;
  float *bias_gradient, *scale_gradient, *shift_gradient;  // Added to.
};

template <class Lanes>
LONDI_INLINE void BackwardBody(const BackwardRows& in) {
  constexpr std::int64_t lanes = kLanes<Lanes>;
  const std::int64_t width = in.width, whole = width / lanes * lanes;
  const float share = 1 / static_cast<float>(width);
  for (std::int64_t row = 0; row < in.rows; ++row) {
    const float* const x = in.normalized + row * width;
    const float* const hidden = in.hidden + row * width;
    float* const gradient = in.gradient + row * width;
    Lanes slope, of_x, h, d, scale, sum, sums{}, products{};
    for (std::int64_t i = 0; i < whole; i += lanes) {
      Load(gradient + i, slope);
      Load(hidden + i, h);
      Load(x + i, of_x);
      Load(in.scale + i, scale);
      slope = h > 0 ? slope : Lanes{};
      Load(in.scale_gradient + i, sum);
      Store(sum + slope * of_x, in.scale_gradient + i);
      Load(in.shift_gradient + i, sum);
      Store(sum + slope, in.shift_gradient + i);
      d = slope * scale;
      sums += d;
      products += d * of_x;
      Store(d, gradient + i);
    }
    float total = SumOf(sums), product = SumOf(products);
    for (std::int64_t i = whole; i < width; ++i) {
      const float one = hidden[i] > 0 ? gradient[i] : 0;
      in.scale_gradient[i] += one * x[i];
      in.shift_gradient[i] += one;
      gradient[i] = one * in.scale[i];
      total += gradient[i];
      product += gradient[i] * x[i];
    }
    const float mean = total * share, along = product * share;
    const float inverse = in.inverse_deviations[row];
    for (std::int64_t i = 0; i < whole; i += lanes) {
      Load(gradient + i, d);
      Load(x + i, of_x);
      d = inverse * (d - mean - of_x * along);
      Store(d, gradient + i);
      Load(in.bias_gradient + i, sum);
      Store(sum + d, in.bias_gradient + i);
    }
    for (std::int64_t i = whole; i < width; ++i) {
      gradient[i] = inverse * (gradient[i] - mean - x[i] * along);
      in.bias_gradient[i] += gradient[i];
    }
  }
}

#if defined(__x86_64__)
__attribute__((target("avx512f,fma"))) void ForwardAvx512(const ForwardRows& in) {
  ForwardBody<Lanes16>(in);
}
__attribute__((target("avx512f,fma"))) void BackwardAvx512(const BackwardRows& in) {
  BackwardBody<Lanes16>(in);
}
__attribute__((target("avx2,fma"))) void ForwardAvx2(const ForwardRows& in) {
  ForwardBody<Lanes8>(in);
}
__attribute__((target("avx2,fma"))) void BackwardAvx2(const BackwardRows& in) {
  BackwardBody<Lanes8>(in);
}
#endif

enum class Instructions { kBaseline, kAvx2, kAvx512 };

Instructions WidestInstructions() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return Instructions::kAvx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Instructions::kAvx2;
#endif
  return Instructions::kBaseline;
}

const Instructions kInstructions = WidestInstructions();

void Run(const ForwardRows& in) {
#if defined(__x86_64__)
  if (kInstructions == Instructions::kAvx512) return ForwardAvx512(in);
  if (kInstructions == Instructions::kAvx2) return ForwardAvx2(in);
#endif
  ForwardBody<Lanes4>(in);
}

void Run(const BackwardRows& in) {
#if defined(__x86_64__)
  if (kInstructions == Instructions::kAvx512) return BackwardAvx512(in);
  if (kInstructions == Instructions::kAvx2) return BackwardAvx2(in);
#endif
  BackwardBody<Lanes4>(in);
}

#undef LONDI_INLINE

float* Data(const at::Tensor& tensor) { return tensor.data_ptr<float>(); }

ForwardRows RowsOf(const NormReluWeights& weights,
                   const at::Tensor& product,
                   const at::Tensor& hidden) {
  return {.rows = product.size(0),
          .width = product.size(1),
          .bias = Data(weights.bias),
          .scale = Data(weights.scale),
          .shift = Data(weights.shift),
          .product = Data(product),
          .hidden = Data(hidden)};
}

}  // namespace

void NormRelu(const NormReluWeights& weights,
              const at::Tensor& product,
              const at::Tensor& hidden,
              const at::Tensor& inverse_deviations) {
  if (product.is_cpu()) {
    ForwardRows rows = RowsOf(weights, product, hidden);
    rows.inverse_deviations = Data(inverse_deviations);
    Run(rows);
    return;
  }
  const auto [normalized, mean, inverse] =
      at::native_layer_norm(product + weights.bias, weights.bias.sizes(), {}, {}, kEpsilon);
  product.copy_(normalized);
  inverse_deviations.copy_(inverse.view_as(inverse_deviations));
  hidden.copy_(at::addcmul(weights.shift, normalized, weights.scale).relu_());
}

void NormReluInPlace(const NormReluWeights& weights, const at::Tensor& product) {
  if (product.is_cpu()) return Run(RowsOf(weights, product, product));
  product.copy_(
      at::layer_norm(
          product + weights.bias, weights.bias.sizes(), weights.scale, weights.shift, kEpsilon)
          .relu_());
}

void NormReluBackward(const NormReluWeights& weights,
                      const at::Tensor& normalized,
                      const at::Tensor& hidden,
                      const at::Tensor& inverse_deviations,
                      const at::Tensor& gradient,
                      const NormReluWeights& out) {
  if (gradient.is_cpu()) {
    for (const at::Tensor& sum : {out.bias, out.scale, out.shift}) sum.zero_();
    return Run(BackwardRows{.rows = gradient.size(0),
                            .width = gradient.size(1),
                            .scale = Data(weights.scale),
                            .normalized = Data(normalized),
                            .hidden = Data(hidden),
                            .inverse_deviations = Data(inverse_deviations),
                            .gradient = Data(gradient),
                            .bias_gradient = Data(out.bias),
                            .scale_gradient = Data(out.scale),
                            .shift_gradient = Data(out.shift)});
  }
  const at::Tensor slope = gradient * (hidden > 0);
  out.scale.copy_((slope * normalized).sum(0));
  out.shift.copy_(slope.sum(0));
  const at::Tensor of_normalized = slope * weights.scale;
  gradient.copy_(inverse_deviations.unsqueeze(1) *
                 (of_normalized - of_normalized.mean(1, /*keepdim=*/true) -
                  normalized * (of_normalized * normalized).mean(1, /*keepdim=*/true)));
  out.bias.copy_(gradient.sum(0));
}

}  // namespace londi::learner
