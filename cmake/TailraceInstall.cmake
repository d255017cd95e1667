# The installed CMake package: find_package(tailrace CONFIG) gives tailrace::base, tailrace::processor and the others.
include(CMakePackageConfigHelpers)
set(_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tailrace")
install(EXPORT tailrace-targets NAMESPACE tailrace:: DESTINATION "${_package_dir}")
configure_package_config_file(cmake/tailrace-config.cmake.in "${PROJECT_BINARY_DIR}/tailrace-config.cmake"
  INSTALL_DESTINATION "${_package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/tailrace-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tailrace-config.cmake" "${PROJECT_BINARY_DIR}/tailrace-config-version.cmake"
              cmake/TailraceDependencies.cmake
        DESTINATION "${_package_dir}")
