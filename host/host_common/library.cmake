# SPDX-License-Identifier: Apache-2.0
# libhosted-ota.so: the public headers' functions and nothing else.
include(CMakePackageConfigHelpers)

set(HOSTED_SONAME 0) # plus one when a program built before would no longer run
set(symbols ${CMAKE_CURRENT_SOURCE_DIR}/hosted-ota.map)

add_library(hosted_ota_shared SHARED $<TARGET_OBJECTS:hosted_ota>)
add_dependencies(hosted_ota_shared hosted_ota)
set_target_properties(hosted_ota_shared PROPERTIES
    OUTPUT_NAME hosted-ota
    EXPORT_NAME hosted_ota
    LINKER_LANGUAGE C
    LINK_DEPENDS ${symbols}
    SOVERSION ${HOSTED_SONAME}
    VERSION ${HOSTED_SONAME}.${PROJECT_VERSION})
target_include_directories(hosted_ota_shared INTERFACE
    $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/../include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_options(hosted_ota_shared PRIVATE -Wl,--version-script=${symbols})
target_link_libraries(hosted_ota_shared PRIVATE $<TARGET_PROPERTY:hosted_ota,LINK_LIBRARIES>)
add_library(HostedOta::hosted_ota ALIAS hosted_ota_shared) # for a project that has this one inside

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/HostedOta)
# Below the prefix, unless they are absolute.
cmake_path(APPEND pc_libdir "\${prefix}" ${CMAKE_INSTALL_LIBDIR})
cmake_path(APPEND pc_includedir "\${prefix}" ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(hosted-ota.pc.in hosted-ota.pc @ONLY)
write_basic_package_version_file(HostedOtaConfigVersion.cmake COMPATIBILITY SameMinorVersion)

install(TARGETS hosted_ota_shared EXPORT HostedOta LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT HostedOta NAMESPACE HostedOta:: FILE HostedOtaConfig.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/HostedOtaConfigVersion.cmake DESTINATION ${package})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/hosted-ota.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(DIRECTORY ../include/hosted DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.h)
