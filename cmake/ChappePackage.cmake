# chappe::runtime: base, sync, async, flow and their ports as an installable library of its own,
# without any third-party dependency. `cmake --install build --component runtime --prefix DIR`, then
# find_package(chappe) and target_link_libraries(app chappe::runtime). tests/package tries it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(CHAPPE_PACKAGE_DIR "${CMAKE_INSTALL_LIBDIR}/cmake/chappe")

add_library(chappe_runtime INTERFACE)
set_target_properties(chappe_runtime PROPERTIES EXPORT_NAME runtime)
add_library(chappe::runtime ALIAS chappe_runtime)
install(TARGETS chappe_runtime EXPORT chappe)

# A room that chappe_room() declared RUNTIME: its archive and headers are installed.
function(chappe_package_room target path)
  string(REPLACE "chappe_" "" export_name ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${export_name})
  target_link_libraries(chappe_runtime INTERFACE ${target})
  install(TARGETS ${target} EXPORT chappe
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/chappe/${path}/" COMPONENT runtime
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/chappe/${path}" FILES_MATCHING PATTERN "*.h")
endfunction()

install(EXPORT chappe NAMESPACE chappe:: FILE chappeTargets.cmake
  DESTINATION "${CHAPPE_PACKAGE_DIR}" COMPONENT runtime)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/chappeConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/chappeConfig.cmake"
  "${PROJECT_BINARY_DIR}/chappeConfigVersion.cmake"
  DESTINATION "${CHAPPE_PACKAGE_DIR}" COMPONENT runtime)
