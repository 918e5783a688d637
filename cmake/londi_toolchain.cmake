# Compiler flags, sanitizers and the packages every layer draws from. Included once by the root file.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set_property(GLOBAL PROPERTY GLOBAL_DEPENDS_NO_CYCLES ON)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()
# -O2 with line tables only: full debug information of torch headers triples object sizes and link time.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1")

find_program(LONDI_CCACHE ccache)
if(LONDI_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${LONDI_CCACHE}")
  set(CMAKE_CUDA_COMPILER_LAUNCHER "${LONDI_CCACHE}")
endif()

add_library(londi_flags INTERFACE)
target_compile_options(londi_flags INTERFACE
  "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Werror;-Wno-missing-field-initializers>")
if(LONDI_SANITIZE)
  string(REPLACE ";" "," _sanitizers "${LONDI_SANITIZE}")
  # GCC says of its sanitizers that they make -Wmaybe-uninitialized warn of what cannot be.
  target_compile_options(londi_flags INTERFACE -fsanitize=${_sanitizers} -fno-omit-frame-pointer
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  target_link_options(londi_flags INTERFACE -fsanitize=${_sanitizers})
endif()

find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(cppzmq REQUIRED)
find_package(msgpack REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
if(LONDI_TORCH)
  find_package(LondiTorch 2.11 REQUIRED)
  find_package(yaml-cpp REQUIRED)
  find_package(CLI11 REQUIRED)
  find_package(PkgConfig REQUIRED)
  pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8)
  pkg_check_modules(UTF8PROC REQUIRED IMPORTED_TARGET libutf8proc)
endif()
