# The benchmark program: every *_bench.cc beside the code and in bench/, in one executable, so that
# one command prints all the numbers. Left out when Google Benchmark is missing.
function(chappe_benchmarks)
  get_property(sources GLOBAL PROPERTY CHAPPE_BENCH_SOURCES)
  file(GLOB whole CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/bench/*_bench.cc")
  list(APPEND sources ${whole})
  if(NOT sources)
    return()
  endif()
  if(NOT benchmark_FOUND)
    message(STATUS "Left out: the benchmarks (missing library: Google Benchmark)")
    return()
  endif()
  get_property(rooms GLOBAL PROPERTY CHAPPE_BENCH_ROOMS)
  if(whole)
    get_property(rooms GLOBAL PROPERTY CHAPPE_ROOM_TARGETS)
  endif()
  # Not in `all`: a test run does not need it.
  add_executable(chappe-bench EXCLUDE_FROM_ALL ${sources})
  target_link_libraries(chappe-bench PRIVATE ${rooms} chappe_port_virtual chappe_port_linux
    chappe_warnings benchmark::benchmark benchmark::benchmark_main)
endfunction()
