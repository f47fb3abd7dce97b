# Runs the benches one after another, then the peers in rounds, and writes the report.
#   cmake -DSOURCE_DIR=... -DOUTPUT_DIR=... -DREPORT=... -DBENCHES=... -DPEERS=... [-DQUICK=ON]
#     [-DPUBLISH=ON] -P run_bench.cmake
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
execute_process(COMMAND ${REPORT} ${OUTPUT_DIR} ${commit} ${publish} ${results}
  COMMAND_ERROR_IS_FATAL ANY)
