#!/usr/bin/env bash
# fuzz/run.sh [SECONDS [TARGET...]]
# Runs every fuzz target, or those named, for so many seconds each (60 unless told), as many at a time
# as there are cores ($EFFACE_FUZZ_JOBS), and prints what each executed. A target begins with its
# committed corpus; what it finds new stays in BUILD/corpus, and an input that fails in BUILD/findings.
# Any finding fails the run. BUILD is $EFFACE_FUZZ_BUILD, or else build/fuzz, which is configured and
# built first (preset fuzz).
#
# fuzz/run.sh --runs EXECUTIONS [TARGET...]
# The same by number, for long runs, in build/fuzz-open: optimised, without sanitizers, in front of
# cryptography that lets everything pass. A target that opens a store or a key file does a hundredth of
# it. What BUILD/executed says of earlier runs counts, so one that was interrupted goes on; remove it to
# begin anew.
#
# fuzz/run.sh --table
# What the runs by number have done so far.
set -euo pipefail
cd "$(dirname "$0")/.."

slices=20  # Of a run by number: one that is interrupted loses no more than that.
seconds=60
executions=
table=
case ${1:-} in
  --runs) executions=$2; shift 2 ;;
  --table) table=1; shift ;;
  '') ;;
  *) seconds=$1; shift ;;
esac
build=${EFFACE_FUZZ_BUILD:-}
if [[ -z $build ]]; then
  preset=$([[ -n $executions$table ]] && echo fuzz-open || echo fuzz)
  build=build/$preset
  if [[ -z $table ]]; then
    cmake --preset "$preset" > /dev/null
    cmake --build --preset "$preset"
  fi
fi
if [[ $# -eq 0 ]]; then
  mapfile -t targets < <(cd fuzz && printf '%s\n' *_fuzz.cc | sed 's/\.cc$//')
  set -- "${targets[@]}"
fi
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/bin/llvm-symbolizer-19}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
mkdir -p "$build/executed"

# The file of a target has a line for each run: executions, milliseconds.
sum() { awk '{ n += $'"$2"' } END { printf "%d\n", n }' "$build/executed/$1$kind" 2> /dev/null || echo 0; }

# One run of the engine, until a number of seconds or executions.
run_engine() {
  local target=$1 found=$build/corpus/$1 findings=$build/findings/$1 log=$build/$1.log status=0
  local begun=${EPOCHREALTIME/./} ended
  mkdir -p "$found" "$findings"
  "$build/fuzz/${target}_libfuzzer" "$2" -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$findings/" "$found" "fuzz/corpus/$target" > "$log" 2>&1 || status=$?
  ended=${EPOCHREALTIME/./}
  sed -n "s/^Done \([0-9]*\) runs in .*/\1 $(((ended - begun) / 1000))/p" "$log" >> "$build/executed/$1$kind"
  [[ $status -eq 0 ]] || echo "$target FAILED: see $log and $findings" >&2
  return "$status"
}

run_one() {
  if [[ -z $executions ]]; then
    rm -f "$build/executed/$1$kind"
    run_engine "$1" -max_total_time="$seconds"
    return
  fi
  local wanted=$executions slice
  case $1 in api_sequence_fuzz | corrupt_store_fuzz | root_key_store_fuzz) wanted=$((wanted / 100)) ;; esac
  slice=$(((wanted + slices - 1) / slices))
  while (($(sum "$1" 1) < wanted)); do run_engine "$1" -runs="$slice" || return 1; done
}

print_table() {
  printf '| target | executions | per second | findings |\n|---|---:|---:|---:|\n'
  local target n ms
  for target in "$@"; do
    ms=$(sum "$target" 2)
    n=$(find "$build/findings/$target" -type f 2> /dev/null | wc -l || true)
    printf '| %s | %s | %s | %s |\n' "$target" "$(sum "$target" 1)" \
      $((1000 * $(sum "$target" 1) / (ms + (ms == 0)))) "$n"
  done
}

kind=$([[ -n $executions$table ]] && echo .by-number || echo .by-time)
export -f run_one run_engine sum
export build seconds executions slices kind
status=0
[[ -n $table ]] || printf '%s\n' "$@" |
  xargs -P "${EFFACE_FUZZ_JOBS:-$(nproc)}" -I TARGET bash -c 'run_one TARGET' || status=1
print_table "$@"
exit "$status"
