#!/usr/bin/env bash
# fuzz/coverage.sh [TARGET...]
# Which lines of its parser (fuzz/parsers.txt) the committed corpus of a target reaches, as a Markdown
# table, in build/fuzz-coverage (preset fuzz-coverage): cryptography lets everything pass there. The lines
# that none reaches are in build/fuzz-coverage/missed. Fails where a corpus reaches less than 90 in 100.
set -euo pipefail
cd "$(dirname "$0")/.."

least=90
build=build/fuzz-coverage
cmake --preset fuzz-coverage > /dev/null
cmake --build --preset fuzz-coverage > "$build/build.log" || { cat "$build/build.log"; exit 1; }
mkdir -p "$build/profiles" "$build/missed"

status=0
printf '| target | lines | reached | |\n|---|---:|---:|---:|\n'
while read -r target sources; do
  [[ $# -eq 0 || " $* " == *" $target "* ]] || continue
  program=$build/fuzz/$target
  profile=$build/profiles/$target
  LLVM_PROFILE_FILE=$profile.raw "$program" "fuzz/corpus/$target" > /dev/null
  llvm-profdata-19 merge -o "$profile" "$profile.raw"
  # shellcheck disable=SC2086  # Several paths.
  llvm-cov-19 show "$program" -instr-profile="$profile" -use-color=0 $sources |
    grep -E '^ *[0-9]+\| *0\||^/' > "$build/missed/$target" || true
  # shellcheck disable=SC2086
  read -r lines missed < <(llvm-cov-19 report "$program" -instr-profile="$profile" $sources |
    awk '$1 == "TOTAL" { print $8, $9 }')
  percent=$((100 * (lines - missed) / lines))
  ((percent >= least)) || status=1
  printf '| %s | %d | %d | %d %% |\n' "$target" "$lines" $((lines - missed)) "$percent"
done < <(grep -v '^#' fuzz/parsers.txt)
exit "$status"
