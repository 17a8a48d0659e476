# The region profiles are data, and the program carries them: regions.toml becomes a text in it.
set(chappe_config_dir "${PROJECT_SOURCE_DIR}/chappe/config")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${chappe_config_dir}/regions.toml")
file(READ "${chappe_config_dir}/regions.toml" CHAPPE_REGIONS)
configure_file("${chappe_config_dir}/regions_text.cc.in"
  "${PROJECT_BINARY_DIR}/generated/regions_text.cc" @ONLY)
target_sources(chappe_config PRIVATE "${PROJECT_BINARY_DIR}/generated/regions_text.cc")
