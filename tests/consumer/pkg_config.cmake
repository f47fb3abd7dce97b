# cmake -DPREFIX= -DCOMPILER= -DSOURCE= -DOUT= -DSTORE= -DPKG_CONFIG= [-DHOW=--static -DLINKING=-static]
#       -P pkg_config.cmake
# Builds and runs a program with nothing but what efface.pc says.
file(GLOB_RECURSE found ${PREFIX}/efface.pc)
get_filename_component(directory "${found}" DIRECTORY)
set(ENV{PKG_CONFIG_PATH} "${directory}:$ENV{PKG_CONFIG_PATH}")
execute_process(COMMAND ${PKG_CONFIG} ${HOW} --cflags --libs efface
  OUTPUT_VARIABLE flags OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
if(NOT HOW AND flags MATCHES "-llmdb")
  message(FATAL_ERROR "Who loads efface is told to load what it loads itself: ${flags}")
endif()
separate_arguments(flags UNIX_COMMAND "${flags}")
execute_process(COMMAND ${COMPILER} -std=c++20 ${LINKING} ${SOURCE} -o ${OUT} ${flags}
  COMMAND_ERROR_IS_FATAL ANY)
set(ENV{LD_LIBRARY_PATH} "${directory}/..")
execute_process(COMMAND ${OUT} ${STORE} COMMAND_ERROR_IS_FATAL ANY)
