# chappe_room(tx DEPENDS flow radio async [CORE] [LIBRARIES sodium ...])
#
# One line per room. The room's sources are the .cc files of chappe/<room>; *_test.cc beside them
# become the program test_<room>, *_bench.cc go into the benchmark program. A room can include and
# link only what it names here; base is open to all. tools/check_rooms reads these same lines.
#
#   PATH folder          where the room is, if not chappe/<name>
#   CORE                 no exceptions, no RTTI
#   RUNTIME              part of the installable chappe::runtime
#   LIBRARIES …          third-party targets
#   TEST_LIBRARIES …     what only its tests link (and may include)
#   TEST_LABELS …        ctest labels; `threads` makes the tests run under the thread sanitizer too
include(GoogleTest OPTIONAL)

function(chappe_room name)
  cmake_parse_arguments(ROOM "CORE;RUNTIME" "PATH"
    "DEPENDS;LIBRARIES;TEST_LIBRARIES;TEST_LABELS" ${ARGN})
  set(path "${name}")
  if(ROOM_PATH)
    set(path "${ROOM_PATH}")
  endif()
  set(dir "${PROJECT_SOURCE_DIR}/chappe/${path}")
  file(GLOB sources CONFIGURE_DEPENDS "${dir}/*.cc")
  set(tests ${sources})
  set(benches ${sources})
  list(FILTER sources EXCLUDE REGEX "_(test|bench)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")

  string(REPLACE "/" "_" target "chappe_${path}")
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:chappe_warnings>)
    if(ROOM_CORE)
      target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
    endif()
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(${target} ${scope}
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:include>)
  target_compile_features(${target} ${scope} cxx_std_20)
  if(NOT name STREQUAL "base")
    target_link_libraries(${target} ${scope} chappe_base)
  endif()
  foreach(other IN LISTS ROOM_DEPENDS)
    string(REPLACE "/" "_" other_target "chappe_${other}")
    target_link_libraries(${target} ${scope} ${other_target})
  endforeach()
  foreach(library IN LISTS ROOM_LIBRARIES)
    target_link_libraries(${target} ${scope} ${library})
  endforeach()

  set_property(GLOBAL APPEND PROPERTY CHAPPE_ROOM_TARGETS ${target})
  if(ROOM_RUNTIME)
    chappe_package_room(${target} "${path}")
  endif()
  if(benches)
    set_property(GLOBAL APPEND PROPERTY CHAPPE_BENCH_SOURCES ${benches})
    set_property(GLOBAL APPEND PROPERTY CHAPPE_BENCH_ROOMS ${target})
  endif()
  if(tests AND CHAPPE_TESTS)
    string(REPLACE "/" "_" test_target "test_${path}")
    chappe_test(${test_target} SOURCES ${tests} ROOMS ${target} ${ROOM_TEST_LIBRARIES}
      LABELS ${ROOM_TEST_LABELS})
  endif()
endfunction()

# chappe_test(name SOURCES … ROOMS … [LABELS …]): a GoogleTest program, each test known to ctest.
function(chappe_test name)
  cmake_parse_arguments(TEST "" "" "SOURCES;ROOMS;LABELS;DEFINITIONS" ${ARGN})
  add_executable(${name} ${TEST_SOURCES})
  target_link_libraries(${name} PRIVATE ${TEST_ROOMS} chappe_port_virtual chappe_port_linux
    chappe_warnings GTest::gtest GTest::gmock GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE ${TEST_DEFINITIONS}
    CHAPPE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  set(labels "${TEST_LABELS}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} PROPERTIES TIMEOUT 300 LABELS "${labels}")
  if("threads" IN_LIST labels)
    add_dependencies(tests_with_threads ${name})
  endif()
endfunction()

# What `./dev test` builds under the thread sanitizer: the programs labelled `threads`.
add_custom_target(tests_with_threads)
