# cmake -DNM= -DFILE= -P links.cmake: nothing of LMDB or of Zstandard is in there, or asked for.
execute_process(COMMAND ${NM} ${FILE} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
if(NOT symbols MATCHES "crypto_sign_verify_detached")
  message(FATAL_ERROR "No signature is verified in there.")
endif()
if(symbols MATCHES "[^\n]* (mdb_|ZSTD_)[^\n]*")
  message(FATAL_ERROR "The store came along: ${CMAKE_MATCH_0}")
endif()
