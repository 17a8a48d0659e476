# Run by ctest, see CMakeLists.txt.
set(here "${BUILD}/package_test")
# Nothing of an earlier run may help: a header that is no longer installed must be missed.
file(REMOVE_RECURSE "${here}")

function(step)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE failed OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(failed)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "failed: ${command}\n${said}")
  endif()
endfunction()

step("${CMAKE_COMMAND}" --install "${BUILD}" --component runtime --prefix "${here}/prefix")
set(flags "")
if(SANITIZE)
  set(flags "-fsanitize=${SANITIZE}")
endif()
step("${CMAKE_COMMAND}" -S "${APP}" -B "${here}/build" -G "${GENERATOR}"
  "-DCMAKE_PREFIX_PATH=${here}/prefix" "-DCMAKE_CXX_COMPILER=${COMPILER}"
  "-DCMAKE_BUILD_TYPE=${CONFIG}" "-DCMAKE_CXX_FLAGS=${flags}"
  "-DCMAKE_EXE_LINKER_FLAGS=${LINKER_FLAGS}")
step("${CMAKE_COMMAND}" --build "${here}/build")
step("${here}/build/app")
