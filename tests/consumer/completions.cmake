# cmake -DPREFIX= -DZSH= -P completions.cmake
# What is installed for shells (for zsh in share/zsh/ZSH) is what the command line says of itself.
cmake_minimum_required(VERSION 3.25)
foreach(installed IN ITEMS "bash:bash-completion/completions/efface" "zsh:zsh/${ZSH}/_efface")
  string(REPLACE ":" ";" installed ${installed})
  list(POP_FRONT installed shell)
  execute_process(COMMAND ${PREFIX}/bin/efface completion ${shell}
    OUTPUT_VARIABLE said COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${PREFIX}/share/${installed} text)
  if(NOT said MATCHES "efface" OR NOT text STREQUAL said)
    message(FATAL_ERROR "${installed} is not the completion of ${shell}.")
  endif()
endforeach()
file(GLOB_RECURSE files ${PREFIX}/*/_efface)
list(LENGTH files count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "There is more than one: ${files}")
endif()
