# LibTorch as shipped in the PyPI wheel, linked by hand. `find_package(Torch)` is not used: it demands the CUDA
# toolkit even for a CPU build.
#
#   LONDI_TORCH_DIR   cache variable or environment variable: the directory that holds lib/libtorch_cpu.so
#   LONDI_CACHE       default ~/.cache/londi; `./londi` puts the pinned wheel under torch-<version>/torch there
#
# Targets: LondiTorch::torch (CPU half), LondiTorch::torch_cuda (CUDA half, when the wheel has it).
set(_hints "")
if(LONDI_TORCH_DIR)
  list(APPEND _hints "${LONDI_TORCH_DIR}")
elseif(DEFINED ENV{LONDI_TORCH_DIR})
  list(APPEND _hints "$ENV{LONDI_TORCH_DIR}")
else()
  if(DEFINED ENV{LONDI_CACHE})
    set(_cache "$ENV{LONDI_CACHE}")
  else()
    set(_cache "$ENV{HOME}/.cache/londi")
  endif()
  list(APPEND _hints "${_cache}/torch-2.11.0/torch")
endif()
find_path(LondiTorch_ROOT NAMES lib/libtorch_cpu.so HINTS ${_hints} NO_DEFAULT_PATH NO_CACHE)
if(LondiTorch_ROOT)
  string(REGEX REPLACE "/$" "" LondiTorch_ROOT "${LondiTorch_ROOT}")
  file(STRINGS "${LondiTorch_ROOT}/include/torch/headeronly/version.h" _v REGEX "^ *\"[0-9]+\\.[0-9]+\\.[0-9]+")
  string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" LondiTorch_VERSION "${_v}")
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LondiTorch REQUIRED_VARS LondiTorch_ROOT VERSION_VAR LondiTorch_VERSION
  REASON_FAILURE_MESSAGE "Looked in: ${_hints}. Fix: run ./londi, which obtains it, or set LONDI_TORCH_DIR.")
if(LondiTorch_FOUND AND NOT TARGET LondiTorch::torch)
  set(_lib "${LondiTorch_ROOT}/lib")
  add_library(LondiTorch::c10 SHARED IMPORTED)
  set_target_properties(LondiTorch::c10 PROPERTIES IMPORTED_LOCATION "${_lib}/libc10.so")
  add_library(LondiTorch::torch SHARED IMPORTED)
  set_target_properties(LondiTorch::torch PROPERTIES
    IMPORTED_LOCATION "${_lib}/libtorch_cpu.so"
    # -idirafter, not -isystem: the wheel ships fmt 12, protobuf and pybind11 headers that would shadow Debian's.
    INTERFACE_COMPILE_OPTIONS
      "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter ${LondiTorch_ROOT}/include -idirafter ${LondiTorch_ROOT}/include/torch/csrc/api/include>"
    INTERFACE_COMPILE_DEFINITIONS "USE_DISTRIBUTED"
    INTERFACE_LINK_LIBRARIES "LondiTorch::c10")
  if(EXISTS "${_lib}/libtorch_cuda.so")
    add_library(LondiTorch::torch_cuda INTERFACE IMPORTED)
    set_target_properties(LondiTorch::torch_cuda PROPERTIES
      INTERFACE_COMPILE_DEFINITIONS "USE_C10D_NCCL"
      INTERFACE_LINK_LIBRARIES "LondiTorch::torch"
      INTERFACE_LINK_OPTIONS
        "LINKER:--push-state,--no-as-needed,--allow-shlib-undefined;${_lib}/libtorch_cuda.so;${_lib}/libc10_cuda.so;LINKER:--pop-state")
  endif()
endif()
