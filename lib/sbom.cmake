# What efface is made of and made with, as this configuration found it: CycloneDX 1.5, installed beside the
# library. What a program loads is "required", headers that were compiled in too. Where efface is developed,
# every package of .ci/packages.txt follows as "excluded": it builds or tests. No time and no serial number:
# the same findings are the same bytes.
set(components)

# efface_component(NAME VERSION LICENSE SCOPE PURL)
function(efface_component name version license scope purl)
  set(licenses)
  if(license)
    set(licenses ", \"licenses\": [{ \"expression\": \"${license}\" }]")
  endif()
  set(one "    { \"type\": \"library\", \"name\": \"${name}\", \"version\": \"${version}\", \
\"scope\": \"${scope}\", \"purl\": \"${purl}\"${licenses} }")
  set(components ${components} "${one}" PARENT_SCOPE)
endfunction()

file(STRINGS ${FLATBUFFERS_INCLUDE_DIR}/flatbuffers/base.h parts
  REGEX "^#define FLATBUFFERS_VERSION_(MAJOR|MINOR|REVISION) ")
string(REGEX REPLACE "[^;]* ([0-9]+)" "\\1" parts "${parts}")
list(JOIN parts "." flatbuffers_version)
efface_component(lmdb "${LMDB_VERSION}" OLDAP-2.8 required "pkg:generic/lmdb@${LMDB_VERSION}")
efface_component(libsodium "${SODIUM_VERSION}" ISC required
  "pkg:generic/libsodium@${SODIUM_VERSION}")
efface_component(zstd "${ZSTD_VERSION}" "BSD-3-Clause OR GPL-2.0-only" required
  "pkg:generic/zstd@${ZSTD_VERSION}")
efface_component(flatbuffers "${flatbuffers_version}" Apache-2.0 required
  "pkg:generic/flatbuffers@${flatbuffers_version}")
pkg_check_modules(P11_KIT QUIET p11-kit-1)
efface_component(p11-kit "${P11_KIT_VERSION}" BSD-3-Clause required
  "pkg:generic/p11-kit@${P11_KIT_VERSION}")
if(TARGET efface_tpm_component)
  efface_component(tpm2-tss "${TSS2_tss2-esys_VERSION}" BSD-2-Clause optional
    "pkg:generic/tpm2-tss@${TSS2_tss2-esys_VERSION}")
endif()
if(EFFACE_TOOLS)
  find_package(CLI11 QUIET)
  find_package(nlohmann_json QUIET)
  efface_component(cli11 "${CLI11_VERSION}" BSD-3-Clause optional
    "pkg:generic/cli11@${CLI11_VERSION}")
  efface_component(nlohmann-json "${nlohmann_json_VERSION}" MIT optional
    "pkg:generic/nlohmann-json@${nlohmann_json_VERSION}")
endif()

find_program(EFFACE_DPKG_QUERY dpkg-query)
if(EFFACE_DEVELOPER AND EFFACE_DPKG_QUERY)
  file(STRINGS ${PROJECT_SOURCE_DIR}/.ci/packages.txt lines REGEX "^[a-z0-9]")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^[a-z0-9.+-]+" package "${line}")
    execute_process(COMMAND ${EFFACE_DPKG_QUERY} -W -f "\${Version}" ${package}
      OUTPUT_VARIABLE version ERROR_QUIET RESULT_VARIABLE missing)
    if(NOT missing AND version)
      efface_component(${package} "${version}" "" excluded "pkg:deb/debian/${package}@${version}")
    endif()
  endforeach()
endif()
list(JOIN components ",\n" components)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/efface.cdx.json CONTENT [[
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": { "type": "library", "name": "efface", "version": "@PROJECT_VERSION@",
      "licenses": [{ "expression": "Apache-2.0" }] }
  },
  "components": [
@components@
  ]
}
]] @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/efface.cdx.json
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
