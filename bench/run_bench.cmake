# Runs the benches one after another, then the peers in rounds, and writes the report.
#   cmake -DSOURCE_DIR=... -DOUTPUT_DIR=... -DREPORT=... -DBENCHES=... -DPEERS=... [-DQUICK=ON]
#     [-DVALGRIND=... -DCOUNTED=...] [-DPUBLISH=ON] -P run_bench.cmake
# PUBLISH writes docs/ from what a full run before it measured.
string(REPLACE "," ";" benches "${BENCHES}")
string(REPLACE "," ";" peers "${PEERS}")
set(measured ${OUTPUT_DIR}/bench-results)
if(QUICK)
  set(ENV{EFFACE_BENCH_QUICK} 1)
  set(rounds 1)
else()
  unset(ENV{EFFACE_BENCH_QUICK})
  set(rounds 5)
endif()
if(NOT PUBLISH)
  file(REMOVE_RECURSE ${measured})
  file(MAKE_DIRECTORY ${measured})
endif()

function(run bench result)
  execute_process(
    COMMAND ${bench} --benchmark_out=${measured}/${result}.json --benchmark_out_format=json
    WORKING_DIRECTORY ${OUTPUT_DIR} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

if(NOT PUBLISH)
  foreach(bench IN LISTS benches)
    get_filename_component(name ${bench} NAME)
    run(${bench} ${name})
  endforeach()
  # What is compared stands side by side in time.
  foreach(round RANGE 1 ${rounds})
    foreach(peer IN LISTS peers)
      get_filename_component(name ${peer} NAME)
      run(${peer} ${name}.${round})
    endforeach()
  endforeach()
endif()
set(instructions ${measured}/instructions)
if(VALGRIND AND NOT PUBLISH)
  file(WRITE ${instructions} "")
  foreach(what get visit put erase)
    execute_process(
      COMMAND ${VALGRIND} -q --tool=callgrind --collect-atstart=no
        --callgrind-out-file=${measured}/callgrind.${what} ${COUNTED} ${what}
      WORKING_DIRECTORY ${OUTPUT_DIR} OUTPUT_VARIABLE operations COMMAND_ERROR_IS_FATAL ANY)
    file(STRINGS ${measured}/callgrind.${what} total REGEX "^(totals|summary): [0-9]+" LIMIT_COUNT 1)
    string(REGEX MATCH "[0-9]+" total "${total}")
    string(STRIP "${operations}" operations)
    math(EXPR each "${total} / ${operations}")
    file(APPEND ${instructions} "${what} ${each}\n")
  endforeach()
endif()
file(GLOB results ${measured}/*.json)

# The commit that was measured, not the one that publishes it.
if(PUBLISH)
  file(READ ${measured}/commit commit)
  set(publish --publish ${SOURCE_DIR}/docs)
else()
  set(commit unknown)
  execute_process(COMMAND git rev-parse --short=12 HEAD WORKING_DIRECTORY ${SOURCE_DIR}
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(WRITE ${measured}/commit "${commit}")
  set(publish)
endif()
execute_process(COMMAND ${REPORT} ${OUTPUT_DIR} ${commit} ${publish} ${instructions} ${results}
  COMMAND_ERROR_IS_FATAL ANY)
