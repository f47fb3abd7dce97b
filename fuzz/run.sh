#!/usr/bin/env bash
# fuzz/run.sh [SECONDS [TARGET...]]
# Runs every fuzz target, or those named, for so many seconds each (60 unless told), as many at a time
# as there are cores, and prints what each executed. A target begins with its committed corpus; what it
# finds new stays in BUILD/corpus, and an input that fails in BUILD/findings. Any finding fails the run.
# BUILD is $EFFACE_FUZZ_BUILD, or else build/fuzz, which is configured and built first (preset fuzz).
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
build=${EFFACE_FUZZ_BUILD:-}
if [[ -z $build ]]; then
  build=build/fuzz
  cmake --preset fuzz > /dev/null
  cmake --build --preset fuzz
fi
if [[ $# -eq 0 ]]; then
  mapfile -t targets < <(cd fuzz && printf '%s\n' *_fuzz.cc | sed 's/\.cc$//')
  set -- "${targets[@]}"
fi
export ASAN_SYMBOLIZER_PATH=${ASAN_SYMBOLIZER_PATH:-/usr/bin/llvm-symbolizer-19}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

run_one() {
  local target=$1 found=$build/corpus/$1 findings=$build/findings/$1 log=$build/$1.log status=0
  mkdir -p "$found" "$findings"
  "$build/fuzz/${target}_libfuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$findings/" "$found" "fuzz/corpus/$target" \
    > "$log" 2>&1 || status=$?
  local executions
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  printf '%-20s %10s executions, %s\n' "$target" "${executions:-0}" \
    "$([[ $status -eq 0 ]] && echo 'no finding' || echo "FAILED: see $log")"
  return "$status"
}
export -f run_one
export build seconds
printf '%s\n' "$@" | xargs -P "$(nproc)" -I TARGET bash -c 'run_one TARGET'
