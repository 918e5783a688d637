#include "learner/algorithms/gru.h"

#include <ATen/ATen.h>

namespace londi::learner {

at::Tensor ClimbGru(const GruWeights& weights,
                    const at::Tensor& inputs,
                    const std::vector<std::int64_t>& num_running,
                    KeptGru* keep) {
  const std::int64_t rows = inputs.size(0), width = weights.state.weight.size(1);
  // The inputs' share of all rows at once; only the state's has to wait for the row before.
  const at::Tensor of_inputs = at::addmm(weights.input.bias, inputs, weights.input.weight.t());
  const at::Tensor after = at::empty({rows, width}, inputs.options());
  if (keep != nullptr) {
    keep->inputs = inputs;
    Reshape(keep->before, {rows, width}, inputs.options());
    Reshape(keep->gates, {rows, 2 * width}, inputs.options());
    Reshape(keep->candidate, {rows, width}, inputs.options());
    Reshape(keep->of_state, {rows, width}, inputs.options());
  }
  std::int64_t first = 0;
  at::Tensor state;
  for (const std::int64_t running : num_running) {
    state =
        first == 0 ? at::zeros({running, width}, inputs.options()) : state.narrow(0, 0, running);
    const at::Tensor of_input = of_inputs.narrow(0, first, running);
    const at::Tensor of_state = at::addmm(weights.state.bias, state, weights.state.weight.t());
    const at::Tensor gates =
        (of_input.narrow(1, 0, 2 * width) + of_state.narrow(1, 0, 2 * width)).sigmoid_();
    const at::Tensor reset = gates.narrow(1, 0, width), keeps = gates.narrow(1, width, width);
    const at::Tensor recalled = of_state.narrow(1, 2 * width, width);
    const at::Tensor candidate =
        at::addcmul(of_input.narrow(1, 2 * width, width), reset, recalled).tanh_();
    if (keep != nullptr) {
      keep->before.narrow(0, first, running).copy_(state);
      keep->gates.narrow(0, first, running).copy_(gates);
      keep->candidate.narrow(0, first, running).copy_(candidate);
      keep->of_state.narrow(0, first, running).copy_(recalled);
    }
    state = at::lerp(candidate, state, keeps);
    after.narrow(0, first, running).copy_(state);
    first += running;
  }
  return after;
}

void DescendGru(const GruWeights& weights,
                const KeptGru& kept,
                const std::vector<std::int64_t>& num_running,
                const at::Tensor& gradient,
                const GruWeights& out) {
  const std::int64_t rows = gradient.size(0), width = gradient.size(1);
  const at::Tensor of_inputs = at::empty({rows, 3 * width}, gradient.options());
  const at::Tensor of_states = at::empty({rows, 3 * width}, gradient.options());
  std::int64_t first = rows;
  at::Tensor from_next;  // What the rows behind say about h.
  for (std::size_t step = num_running.size(); step-- > 0;) {
    const std::int64_t running = num_running[step];
    first -= running;
    const at::Tensor after = gradient.narrow(0, first, running);
    if (from_next.defined()) after.narrow(0, 0, from_next.size(0)).add_(from_next);

    const at::Tensor gates = kept.gates.narrow(0, first, running);
    const at::Tensor reset = gates.narrow(1, 0, width), keeps = gates.narrow(1, width, width);
    const at::Tensor candidate = kept.candidate.narrow(0, first, running);
    const at::Tensor of_input = of_inputs.narrow(0, first, running);
    const at::Tensor of_state = of_states.narrow(0, first, running);
    const at::Tensor of_candidate = at::tanh_backward(after - after * keeps, candidate);
    const at::Tensor of_gates = of_input.narrow(1, 0, 2 * width);
    of_gates.narrow(1, 0, width).copy_(of_candidate * kept.of_state.narrow(0, first, running));
    of_gates.narrow(1, width, width)
        .copy_(after * (kept.before.narrow(0, first, running) - candidate));
    of_gates.copy_(at::sigmoid_backward(of_gates, gates));
    of_input.narrow(1, 2 * width, width).copy_(of_candidate);
    of_state.narrow(1, 0, 2 * width).copy_(of_gates);
    of_state.narrow(1, 2 * width, width).copy_(of_candidate * reset);
    if (step > 0) from_next = at::addmm(after * keeps, of_state, weights.state.weight);
  }
  at::Tensor of_weight = out.input.weight, of_bias = out.input.bias;
  at::mm_out(of_weight, of_inputs.t(), kept.inputs);
  at::sum_out(of_bias, of_inputs, 0);
  of_weight = out.state.weight, of_bias = out.state.bias;
  at::mm_out(of_weight, of_states.t(), kept.before);
  at::sum_out(of_bias, of_states, 0);
}

}  // namespace londi::learner
