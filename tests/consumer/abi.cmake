# cmake -DABIDW= -DABIDIFF= -DLIBRARY= -DKEPT= [-DHEADER=] [-DWRITE=ON] -P abi.cmake
# What a program that was compiled against the library relies on, without a look at its sources: names,
# parameters, members and their places, numbers. It is what it was: KEPT, a library or a description of one
# by abidw. All that HEADER declares is in it. Who changes it on purpose writes KEPT anew, with -DWRITE=ON;
# and raises the version that is part of the soname, where it is no addition.
cmake_minimum_required(VERSION 3.25)
if(HEADER)
  # From the debug information, without the places of the machine that compiled it.
  execute_process(COMMAND ${ABIDW} --exported-interfaces-only --type-id-style hash --no-corpus-path
    --no-comp-dir-path --no-show-locs --no-write-default-sizes --no-elf-needed
    --drop-undefined-syms ${LIBRARY}
    OUTPUT_VARIABLE now COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE " path='[^']*/([^/']+)'" " path='\\1'" now "${now}")
  file(READ ${HEADER} header)
  string(REGEX MATCHALL "(EFFACE_[A-Z0-9_]+ =|[ \n]efface_[a-z_]+\\()" declared "${header}")
  list(REMOVE_DUPLICATES declared)
  list(LENGTH declared count)
  if(count LESS 100)
    message(FATAL_ERROR "Only ${count} names are declared in ${HEADER}.")
  endif()
  foreach(name IN LISTS declared)
    string(REGEX MATCH "[A-Za-z0-9_]+" name "${name}")
    if(NOT name MATCHES "^efface_(bytes|text)$" AND NOT now MATCHES "name='${name}'")
      message(FATAL_ERROR "${name} is declared, and is not in what abidw says of the library.")
    endif()
  endforeach()
  if(WRITE)
    file(WRITE ${KEPT} "${now}")
  endif()
endif()
execute_process(COMMAND ${ABIDIFF} --harmless ${KEPT} ${LIBRARY}
  OUTPUT_VARIABLE said ERROR_VARIABLE said RESULT_VARIABLE result)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "The binary interface is not what it was:\n${said}")
endif()
