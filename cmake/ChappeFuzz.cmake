# chappe_fuzz(config SOURCES tests/fuzz/config_fuzz.cc ROOMS chappe_config)
#
# One fuzzer: the program fuzz_<name> where the compiler has libFuzzer and CHAPPE_FUZZ is on.
option(CHAPPE_FUZZ "Build the fuzzers (clang only)" OFF)
if(CHAPPE_FUZZ)
  # Coverage everywhere, or the fuzzer would be blind inside the rooms.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

function(chappe_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "SOURCES;ROOMS" ${ARGN})
  if(CHAPPE_FUZZ)
    add_executable(fuzz_${name} ${FUZZ_SOURCES})
    target_link_libraries(fuzz_${name} PRIVATE ${FUZZ_ROOMS} chappe_port_linux chappe_warnings)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  endif()
endfunction()
