# Debian packages, by cpack: what programs load (libefface0.1), what they are built with (libefface-dev),
# and the command line (efface-tools), which has the library inside, so that it works when that is broken.
# With SOURCE_DATE_EPOCH set, one source and one compiler give the same bytes.
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_VENDOR "efface")
set(EFFACE_MAINTAINER "whoever built this <root@localhost>" CACHE STRING "Who answers for the packages")
set(CPACK_PACKAGE_CONTACT "${EFFACE_MAINTAINER}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL runtime development tools)
# Debian's zsh looks for completions of packages in a place of its own. Directories have the modes that
# the umask of who packs left them.
file(CONFIGURE OUTPUT as_debian.cmake CONTENT [[
file(GLOB_RECURSE paths LIST_DIRECTORIES true ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*)
list(FILTER paths INCLUDE REGEX "/share/zsh/site-functions$")
foreach(path IN LISTS paths)
  cmake_path(REPLACE_FILENAME path vendor-completions OUTPUT_VARIABLE debian)
  file(RENAME ${path} ${debian})
endforeach()
file(GLOB_RECURSE paths LIST_DIRECTORIES true ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/*)
foreach(path IN LISTS paths)
  if(IS_DIRECTORY ${path} AND NOT IS_SYMLINK ${path})
    file(CHMOD ${path} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
      GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  endif()
endforeach()
]] @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_BINARY_DIR}/as_debian.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(words "${PROJECT_DESCRIPTION}")
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} name)
  set(CPACK_DEBIAN_${name}_PACKAGE_SHLIBDEPS ON)
endforeach()
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libefface${soversion})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "${words}: the shared libraries\n efface and efface_verify, for programs that were linked with them.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libefface-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libefface${soversion} (= ${PROJECT_VERSION}), \
pkg-config | pkgconf, liblmdb-dev, libsodium-dev, libzstd-dev")
if(TARGET efface_tpm_component)
  set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libtss2-dev")
endif()
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "${words}: headers and libraries\n With find_package and pkg-config; linked statically too.")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME efface-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION database)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "${words}: the command line\n Everything that the library does, without writing C++.")

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} name)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE RENAME copyright COMPONENT ${component}
    DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${name}_PACKAGE_NAME})
endforeach()
include(CPack)
