# An export set for what everybody may load, and one for each component that asks for more: of the compiler and CMake, or
# of other libraries.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sojourn)

install(TARGETS sojourn sojourn_http sojourn_testing EXPORT sojourn-targets FILE_SET HEADERS)
install(EXPORT sojourn-targets NAMESPACE sojourn:: DESTINATION ${package_dir})

if(SOJOURN_BUILD_ADMIN)
    install(TARGETS sojourn_http_server sojourn_admin EXPORT sojourn-admin-targets FILE_SET HEADERS)
    install(TARGETS sojournctl)
    install(FILES src/cli/sojournctl.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(EXPORT sojourn-admin-targets NAMESPACE sojourn:: DESTINATION ${package_dir})
endif()

if(SOJOURN_BUILD_PROMETHEUS)
    install(TARGETS sojourn_prometheus EXPORT sojourn-prometheus-targets FILE_SET HEADERS)
    install(EXPORT sojourn-prometheus-targets NAMESPACE sojourn:: DESTINATION ${package_dir})
endif()

if(SOJOURN_BUILD_STORE)
    install(TARGETS sojourn_store sojourn_store_testing EXPORT sojourn-store-targets FILE_SET HEADERS)
    install(EXPORT sojourn-store-targets NAMESPACE sojourn:: DESTINATION ${package_dir})
endif()

if(SOJOURN_BUILD_MODULE)
    install(TARGETS sojourn_module EXPORT sojourn-module-targets FILE_SET CXX_MODULES DESTINATION ${package_dir}/modules)
    install(
        EXPORT sojourn-module-targets
        NAMESPACE sojourn::
        DESTINATION ${package_dir}
        CXX_MODULES_DIRECTORY .
    )
endif()

configure_package_config_file(
    cmake/sojourn-config.cmake.in
    ${PROJECT_BINARY_DIR}/sojourn-config.cmake
    INSTALL_DESTINATION ${package_dir}
)
# Before 1.0 a new minor version may break its users.
write_basic_package_version_file(
    ${PROJECT_BINARY_DIR}/sojourn-config-version.cmake
    COMPATIBILITY SameMinorVersion
)
install(
    FILES
        ${PROJECT_BINARY_DIR}/sojourn-config.cmake
        ${PROJECT_BINARY_DIR}/sojourn-config-version.cmake
        ${PROJECT_SOURCE_DIR}/cmake/sojourn-module-toolchain.cmake
    DESTINATION ${package_dir}
)
