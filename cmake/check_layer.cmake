# cmake -DROOT=... -DLAYER=actors -DDEPS=core,monitor,transport -P check_layer.cmake
# Fails when a file of ROOT/LAYER includes a londi folder that is neither LAYER nor in DEPS, or a torch header where
# none is allowed.
cmake_minimum_required(VERSION 3.25)
set(all core monitor transport actors inference learner/replay learner configs launch)  # An inner one before the outer.
string(REPLACE "," ";" deps "${DEPS}")
set(allowed ${LAYER} ${deps})
set(no_torch core monitor transport actors learner/replay)

# The innermost layer that holds the file `path`, or nothing.
function(layer_of path result)
  foreach(layer IN LISTS all)
    if(path MATCHES "^${layer}/")
      set(${result} ${layer} PARENT_SCOPE)
      return()
    endif()
  endforeach()
  set(${result} "" PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE files RELATIVE "${ROOT}" "${ROOT}/${LAYER}/*.h" "${ROOT}/${LAYER}/*.cc" "${ROOT}/${LAYER}/*.cu")
set(bad "")
foreach(file IN LISTS files)
  layer_of("${file}" file_layer)
  if(NOT file_layer STREQUAL LAYER)
    continue()
  endif()
  file(STRINGS "${ROOT}/${file}" lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    set(included "")
    if(line MATCHES "\"([^\"]+)\"")
      layer_of("${CMAKE_MATCH_1}" included)
    endif()
    if(included AND NOT included IN_LIST allowed)
      string(APPEND bad "${file}: ${line}\n  what: ${LAYER}/ includes ${included}/\n"
        "  why: ${LAYER} may only use: ${allowed}\n"
        "  fix: move the shared word to a lower folder (often core/), or join the two in launch/\n")
    endif()
    if(LAYER IN_LIST no_torch AND line MATCHES "[<\"](torch|ATen|c10)/")
      string(APPEND bad "${file}: ${line}\n  what: a torch header in ${LAYER}/\n"
        "  why: ${no_torch} build without LibTorch (fast builds, ThreadSanitizer)\n"
        "  fix: keep the torch code in inference/ or learner/ behind an interface of core/\n")
    endif()
  endforeach()
endforeach()
if(bad)
  message(FATAL_ERROR "${bad}")
endif()
