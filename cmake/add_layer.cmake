# add_layer(<folder> SOURCES a.cc ... [DEPS lower folders] [LIBS external targets] [PRIVATE_LIBS external targets])
#
# Declares the folder's library `londi_<folder>` and registers the ctest `layering.<folder>`, which fails when a
# file of the folder includes a folder that DEPS does not name. So the arrows of docs/architecture.md are code.
# A folder within another, as learner/replay, is a layer of its own (`londi_learner_replay`), not a part of the outer
# one: whoever uses both names both.
function(add_layer name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LIBS;PRIVATE_LIBS" ${ARGN})
  string(REPLACE "/" "_" target londi_${name})
  if(ARG_SOURCES)
    add_library(${target} STATIC ${ARG_SOURCES})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE ${ARG_PRIVATE_LIBS})
    target_link_libraries(${target} PRIVATE londi_flags)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope} "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${target} ${scope} Threads::Threads ${ARG_LIBS})
  foreach(dep IN LISTS ARG_DEPS)
    string(REPLACE "/" "_" dep_target londi_${dep})
    target_link_libraries(${target} ${scope} ${dep_target})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY LONDI_LAYERS ${name})
  set_property(GLOBAL PROPERTY LONDI_LAYER_DEPS_${name} "${ARG_DEPS}")
endfunction()

# Called once by tests/: one layering test per folder, and one of the clocks they ask.
function(add_layering_tests)
  get_property(layers GLOBAL PROPERTY LONDI_LAYERS)
  foreach(layer IN LISTS layers)
    get_property(deps GLOBAL PROPERTY LONDI_LAYER_DEPS_${layer})
    list(JOIN deps "," deps_arg)
    add_test(NAME layering.${layer}
      COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DLAYER=${layer} -DDEPS=${deps_arg}
              -P ${CMAKE_SOURCE_DIR}/cmake/check_layer.cmake)
    set_tests_properties(layering.${layer} PROPERTIES LABELS unit)
  endforeach()
  add_test(NAME layering.clocks
    COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -P ${CMAKE_SOURCE_DIR}/cmake/check_clocks.cmake)
  set_tests_properties(layering.clocks PROPERTIES LABELS unit)
endfunction()

# add_londi_test(<name> LABELS unit SOURCES a_test.cc ... LIBS targets [TIMEOUT seconds])
# One GoogleTest binary; every TEST in it becomes one ctest entry.
function(add_londi_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;LIBS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE londi_flags londi_test_support ${ARG_LIBS} GTest::gtest_main)
  # On a busy machine LibTorch alone takes longer to load than the 5 seconds that listing tests has by default.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT}
               # OpenMP's threads spin while they wait: tests side by side would slow each other down a hundredfold.
               ENVIRONMENT OMP_NUM_THREADS=1)
endfunction()
