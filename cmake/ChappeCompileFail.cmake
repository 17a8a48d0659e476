# What must not compile. A file of tests/compile_fail/ holds cases, each a macro with the words that
# the compiler must say:
#
#   #ifdef DROPPED_RESULT  // expect: nodiscard | unused-result
#
# ` | ` separates alternatives, for compilers word things differently; `expect(clang): …` marks a case
# that only clang can see. Without any macro the file must compile: the control, without which a typo
# in the file would pass every case.
function(chappe_compile_fail_tests)
  file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/compile_fail/*.cc")
  foreach(file IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    get_filename_component(stem "${file}" NAME_WE)
    chappe_compile_fail_case("${stem}" "${file}" "" "")
    file(STRINGS "${file}" lines REGEX "^#ifdef [A-Z0-9_]+ +// expect")
    foreach(line IN LISTS lines)
      if(NOT line MATCHES "^#ifdef ([A-Z0-9_]+) +// expect(\\(clang\\))?: (.+)$")
        message(FATAL_ERROR "${file}: cannot read \"${line}\"")
      endif()
      if(CMAKE_MATCH_2 AND NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        continue()
      endif()
      chappe_compile_fail_case("${stem}" "${file}" "${CMAKE_MATCH_1}" "${CMAKE_MATCH_3}")
    endforeach()
  endforeach()
endfunction()

function(chappe_compile_fail_case stem file case expected)
  set(name "compile_fail.${stem}.${case}")
  if(NOT case)
    set(name "compile_fail.${stem}.control")
  endif()
  add_test(NAME "${name}" COMMAND ${CMAKE_COMMAND} "-DCOMPILER=${CMAKE_CXX_COMPILER}"
    "-DCOMPILER_ID=${CMAKE_CXX_COMPILER_ID}" "-DINCLUDE=${PROJECT_SOURCE_DIR}" "-DFILE=${file}"
    "-DCASE=${case}" "-DEXPECTED=${expected}"
    -P "${PROJECT_SOURCE_DIR}/cmake/try_compile_fail.cmake")
  set_tests_properties("${name}" PROPERTIES LABELS compile_fail)
endfunction()
