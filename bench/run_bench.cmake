# Runs the benches one after another and writes the report.
#   cmake -DSOURCE_DIR=... -DOUTPUT_DIR=... -DREPORT=... -DBENCHES=... [-DQUICK=ON] [-DPUBLISH=ON] -P run_bench.cmake
# PUBLISH writes docs/ from what a full run before it measured.
string(REPLACE "," ";" benches "${BENCHES}")
set(measured ${OUTPUT_DIR}/bench-results)
file(MAKE_DIRECTORY ${measured})
if(QUICK)
  set(ENV{EFFACE_BENCH_QUICK} 1)
else()
  unset(ENV{EFFACE_BENCH_QUICK})
endif()

set(results)
foreach(bench IN LISTS benches)
  get_filename_component(name ${bench} NAME)
  set(result ${measured}/${name}.json)
  list(APPEND results ${result})
  if(PUBLISH)
    continue()
  endif()
  execute_process(
    COMMAND ${bench} --benchmark_out=${result} --benchmark_out_format=json
    WORKING_DIRECTORY ${OUTPUT_DIR} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

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
