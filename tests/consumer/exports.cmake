# cmake -DNM= -DLIBRARY= -P exports.cmake: no name of a layer is exported, and the library says its own.
execute_process(COMMAND ${NM} --dynamic --defined-only --demangle ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES "efface::name\\(efface::Errc\\)")
  message(FATAL_ERROR "efface::name is not exported.")
endif()
set(layer "base|os|crypto|codec|storage|keyring|ledger|custody|records|subjects|access|rights|api")
if(symbols MATCHES "[^\n]* [A-Z] efface::(${layer})::[^\n]*")
  message(FATAL_ERROR "A private name is exported: ${CMAKE_MATCH_0}")
endif()
