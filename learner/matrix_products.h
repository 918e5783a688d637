#pragma once

namespace londi::learner {

// Of this process: takes the faster library for fp32 matrix products on the CPU. LibTorch's
// default, MKL, keeps to AVX2 on AMD's CPUs; oneDNN uses their AVX-512 and is about twice as fast
// on this network's shapes, at the same accuracy. LibTorch offers it only as a permission to round
// to bf16, which these CPUs' oneDNN does not make use of in fp32 products; others would, so they
// stay as they are. Not for LM workers: oneDNN is slow where shapes change with every call.
void ChooseMatrixProducts();

}  // namespace londi::learner
