#include "learner/matrix_products.h"

#include <ATen/Context.h>

namespace londi::learner {

void ChooseMatrixProducts() {
#if defined(__x86_64__)
  if (__builtin_cpu_is("amd") && __builtin_cpu_supports("avx512f"))
    at::globalContext().setFloat32MatmulPrecision("medium");
#endif
}

}  // namespace londi::learner
