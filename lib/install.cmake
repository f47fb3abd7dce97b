# What a consumer gets: the library, its headers, find_package(efface) and pkg-config's efface.pc. Both
# find LMDB, libsodium and Zstandard again on the consumer's machine, where a static efface needs them.
# find_package(efface COMPONENTS tpm) and efface-tpm.pc, where it was built, add efface::tpm and tpm2-tss.
set(efface_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/efface)
install(TARGETS efface EXPORT effaceTargets FILE_SET HEADERS)
install(EXPORT effaceTargets NAMESPACE efface:: DESTINATION ${efface_cmake_dir})
if(TARGET efface_tpm_component)
  install(TARGETS efface_tpm_component EXPORT effaceTpmTargets)
  install(EXPORT effaceTpmTargets NAMESPACE efface:: DESTINATION ${efface_cmake_dir})
endif()
install(TARGETS efface_verify EXPORT effaceVerifyTargets FILE_SET HEADERS)
install(EXPORT effaceVerifyTargets NAMESPACE efface:: DESTINATION ${efface_cmake_dir})

file(CONFIGURE OUTPUT effaceConfig.cmake CONTENT [[
# COMPONENTS verify alone: efface::verify, which needs neither LMDB nor Zstandard.
set(efface_verify_FOUND TRUE)
if(NOT "@BUILD_SHARED_LIBS@")
  include(CMakeFindDependencyMacro)
  find_dependency(PkgConfig)
  pkg_check_modules(SODIUM REQUIRED QUIET IMPORTED_TARGET libsodium)
endif()
include("${CMAKE_CURRENT_LIST_DIR}/effaceVerifyTargets.cmake")
if(NOT "${efface_FIND_COMPONENTS}" STREQUAL "verify")
  if(NOT "@BUILD_SHARED_LIBS@")
    pkg_check_modules(LMDB REQUIRED QUIET IMPORTED_TARGET lmdb)
    pkg_check_modules(ZSTD REQUIRED QUIET IMPORTED_TARGET libzstd)
  endif()
  include("${CMAKE_CURRENT_LIST_DIR}/effaceTargets.cmake")
endif()
if("tpm" IN_LIST efface_FIND_COMPONENTS AND EXISTS "${CMAKE_CURRENT_LIST_DIR}/effaceTpmTargets.cmake")
  include(CMakeFindDependencyMacro)
  find_dependency(PkgConfig)
  pkg_check_modules(SODIUM REQUIRED QUIET IMPORTED_TARGET libsodium)
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
  ${CMAKE_CURRENT_BINARY_DIR}/effaceConfigVersion.cmake DESTINATION ${efface_cmake_dir})

# The prefix is the one of the installation, found from the place of efface.pc itself.
file(RELATIVE_PATH efface_pc_up ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
file(CONFIGURE OUTPUT efface.pc CONTENT [[
prefix=${pcfiledir}/@efface_pc_up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: efface
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Requires.private: lmdb libsodium libzstd
Libs: -L${libdir} -lefface
Cflags: -I${includedir}
]] @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/efface.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

file(CONFIGURE OUTPUT efface-verify.pc CONTENT [[
prefix=${pcfiledir}/@efface_pc_up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: efface-verify
Description: Checks the receipts of efface
Version: @PROJECT_VERSION@
Requires.private: libsodium
Libs: -L${libdir} -lefface_verify
Cflags: -I${includedir}
]] @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/efface-verify.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET efface_tpm_component)
  file(CONFIGURE OUTPUT efface-tpm.pc CONTENT [[
prefix=${pcfiledir}/@efface_pc_up@
libdir=${prefix}/@CMAKE_INSTALL_LIBDIR@

Name: efface-tpm
Description: Root keys of efface in a TPM 2.0
Version: @PROJECT_VERSION@
Requires: efface
Requires.private: tss2-esys tss2-sys tss2-tctildr
Libs: -L${libdir} -lefface_tpm
]] @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/efface-tpm.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
