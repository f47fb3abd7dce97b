# What a consumer gets: the library, its headers, find_package(efface) and pkg-config's efface.pc. Both
# find LMDB, libsodium and Zstandard again on the consumer's machine, where a static efface needs them.
# find_package(efface COMPONENTS tpm) and efface-tpm.pc, where it was built, add efface::tpm and tpm2-tss.
# Components of the installation: runtime (what programs load), development, and tools.
set(efface_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/efface)

# efface_install(TARGET FILE): the target, and what find_package reads of it.
function(efface_install target file)
  install(TARGETS ${target} EXPORT ${file} FILE_SET HEADERS COMPONENT development
    LIBRARY COMPONENT runtime NAMELINK_COMPONENT development ARCHIVE COMPONENT development)
  install(EXPORT ${file} NAMESPACE efface:: DESTINATION ${efface_cmake_dir} COMPONENT development)
endfunction()
foreach(target IN ITEMS efface efface_verify)
  set(name effaceTargets)
  if(target STREQUAL "efface_verify")
    set(name effaceVerifyTargets)
  endif()
  get_target_property(kind ${target} TYPE)
  if(kind STREQUAL "SHARED_LIBRARY")
    efface_install(${target} ${name}-shared)
  else()
    efface_install(${target} ${name}-static)
  endif()
  if(TARGET ${target}_shared)
    efface_install(${target}_shared ${name}-shared)
  endif()
endforeach()
if(TARGET efface_tpm_component)
  efface_install(efface_tpm_component effaceTpmTargets)
endif()

file(CONFIGURE OUTPUT effaceConfig.cmake CONTENT [[
# Components: verify alone is efface::verify, which needs neither LMDB nor Zstandard; tpm adds
# efface::tpm; static and shared say which library is meant, where both are: shared by default.
set(efface_verify_FOUND TRUE)
foreach(kind IN ITEMS static shared)
  if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/effaceTargets-${kind}.cmake")
    set(efface_${kind}_FOUND TRUE)
  endif()
endforeach()
set(efface_kind static)
if(efface_shared_FOUND AND NOT "static" IN_LIST efface_FIND_COMPONENTS)
  set(efface_kind shared)
endif()
set(efface_parts ${efface_FIND_COMPONENTS})
list(REMOVE_ITEM efface_parts static shared)
set(efface_tpm_asked FALSE)
if("tpm" IN_LIST efface_parts AND EXISTS "${CMAKE_CURRENT_LIST_DIR}/effaceTpmTargets.cmake")
  set(efface_tpm_asked TRUE)
endif()

if(efface_kind STREQUAL "static" OR efface_tpm_asked)
  include(CMakeFindDependencyMacro)
  find_dependency(PkgConfig)
  pkg_check_modules(SODIUM REQUIRED QUIET IMPORTED_TARGET libsodium)
endif()
if(NOT TARGET efface::verify)
  include("${CMAKE_CURRENT_LIST_DIR}/effaceVerifyTargets-${efface_kind}.cmake")
endif()
if(NOT "${efface_parts}" STREQUAL "verify" AND NOT TARGET efface::efface)
  if(efface_kind STREQUAL "static")
    pkg_check_modules(LMDB REQUIRED QUIET IMPORTED_TARGET lmdb)
    pkg_check_modules(ZSTD REQUIRED QUIET IMPORTED_TARGET libzstd)
  endif()
  include("${CMAKE_CURRENT_LIST_DIR}/effaceTargets-${efface_kind}.cmake")
endif()
if(efface_tpm_asked)
  pkg_check_modules(TSS2 REQUIRED QUIET IMPORTED_TARGET tss2-esys tss2-sys tss2-tctildr)
  include("${CMAKE_CURRENT_LIST_DIR}/effaceTpmTargets.cmake")
  set(efface_tpm_FOUND TRUE)
endif()
foreach(component IN LISTS efface_FIND_COMPONENTS)
  if(efface_FIND_REQUIRED_${component} AND NOT efface_${component}_FOUND)
    set(efface_FOUND FALSE)
    set(efface_NOT_FOUND_MESSAGE "This efface has no component ${component}.")
  endif()
endforeach()
]] @ONLY)
# Before 1.0 a minor version may break what stood before it.
write_basic_package_version_file(effaceConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/effaceConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/effaceConfigVersion.cmake
  DESTINATION ${efface_cmake_dir} COMPONENT development)

# efface_pc(NAME LIBRARY DESCRIPTION [PRIVATE packages] [REQUIRES packages]): for pkg-config. The prefix
# is the one of the installation, found from the place of the file itself.
file(RELATIVE_PATH efface_pc_up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
function(efface_pc name library description)
  cmake_parse_arguments(PC "" "PRIVATE;REQUIRES" "" ${ARGN})
  file(CONFIGURE OUTPUT ${name}.pc CONTENT [[
prefix=${pcfiledir}/@efface_pc_up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: @name@
Description: @description@
Version: @PROJECT_VERSION@
Requires: @PC_REQUIRES@
Requires.private: @PC_PRIVATE@
Libs: -L${libdir} -l@library@
Libs.private: -lstdc++ -lm
Cflags: -I${includedir}
]] @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${name}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
endfunction()
efface_pc(efface efface "${PROJECT_DESCRIPTION}" PRIVATE "lmdb libsodium libzstd")
efface_pc(efface-verify efface_verify "Checks the receipts of efface" PRIVATE "libsodium")
if(TARGET efface_tpm_component)
  efface_pc(efface-tpm efface_tpm "Root keys of efface in a TPM 2.0" REQUIRES "efface"
    PRIVATE "libsodium tss2-esys tss2-sys tss2-tctildr")
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
