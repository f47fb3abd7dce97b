# cmake -DCPACK= -DDPKG_DEB= -DBUILD= -DOUT= -P debs.cmake
# Packs twice what was built, in another place, time zone and umask (of directories: the modes of files
# are in the archive's own headers), and compares; looks at what the packages ask for; unpacks them into OUT/root, a prefix that has never seen a build.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE ${OUT})
file(MAKE_DIRECTORY ${OUT})
function(pack into epoch umask zone components)
  execute_process(COMMAND sh -c "umask ${umask} && exec \"$@\"" sh
    ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${epoch} TZ=${zone}
    ${CPACK} --config ${BUILD}/CPackConfig.cmake -G DEB -B ${OUT}/${into}
      -D CPACK_DEBIAN_COMPRESSION_TYPE=gzip -D CPACK_COMPONENTS_ALL=${components}
    OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
  file(GLOB packages RELATIVE ${OUT}/${into} ${OUT}/${into}/*.deb)
  set(hashes)
  foreach(package IN LISTS packages)
    file(SHA256 ${OUT}/${into}/${package} hash)
    string(APPEND hashes "${package} ${hash}\n")
  endforeach()
  set(${into} "${hashes}" PARENT_SCOPE)
endfunction()
set(all "runtime\\;development\\;tools")
pack(once 1700000000 022 UTC "${all}")
pack(again_elsewhere 1700000000 033 Asia/Tokyo "${all}")
pack(later 1700086400 022 UTC runtime)
if(NOT once MATCHES "efface-tools_[^\n]*\nlibefface-dev_[^\n]*\nlibefface[0-9.]+_")
  message(FATAL_ERROR "These are not the packages:\n${once}")
endif()
if(NOT once STREQUAL again_elsewhere)
  message(FATAL_ERROR "Packed twice, not the same bytes:\n${once}\n${again_elsewhere}")
endif()
string(FIND "${once}" "${later}" at)
if(NOT later MATCHES "libefface[0-9.]+_" OR NOT at EQUAL -1)
  message(FATAL_ERROR "A package of another day has the same bytes: SOURCE_DATE_EPOCH is not in it.")
endif()

file(GLOB packages ${OUT}/once/*.deb)
foreach(package IN LISTS packages)
  execute_process(COMMAND ${DPKG_DEB} --field ${package} Package Depends
    OUTPUT_VARIABLE fields COMMAND_ERROR_IS_FATAL ANY)
  set(asked "liblmdb0 \\(>=.*libsodium23 \\(>=.*libstdc\\+\\+6 \\(>=.*libzstd1 \\(>=")
  if(fields MATCHES "Package: libefface-dev")
    set(asked "libefface[0-9.]+ \\(= .*liblmdb-dev, libsodium-dev, libzstd-dev")
  endif()
  if(NOT fields MATCHES "Depends: .*${asked}")
    message(FATAL_ERROR "What it depends on is missing:\n${fields}")
  endif()
  execute_process(COMMAND ${DPKG_DEB} --ctrl-tarfile ${package} COMMAND tar -t
    OUTPUT_VARIABLE control COMMAND_ERROR_IS_FATAL ANY)
  if(fields MATCHES "Package: libefface[0-9]" AND NOT control MATCHES "shlibs")
    message(FATAL_ERROR "The library's package does not say what it is to others:\n${control}")
  endif()
  execute_process(COMMAND ${DPKG_DEB} -x ${package} ${OUT}/root COMMAND_ERROR_IS_FATAL ANY)
endforeach()
execute_process(COMMAND ${OUT}/root/usr/bin/efface --version
  OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
if(NOT said MATCHES "^efface [0-9.]+\n$")
  message(FATAL_ERROR "The command line says: ${said}")
endif()
