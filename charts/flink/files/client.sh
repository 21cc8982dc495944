#!/usr/bin/env bash
# Runs commands for the hook in the container beside this one, which has Python but no Flink.
#   client.sh FOLDER
# FOLDER/<name>.in holds the words of a command, a NUL after each; what it says goes to <name>.out, its exit code to <name>.code.
# Ends when there is a file FOLDER/end.
set -euo pipefail
shopt -s nullglob

cd "$1"
until [[ -e end ]]; do
  for command in *.in; do
    mapfile -d '' -t words <"$command"
    rm "$command"
    name=${command%.in}
    code=0
    "${words[@]}" >"$name.out" 2>&1 || code=$?
    echo "$code" >"$name.tmp"
    mv "$name.tmp" "$name.code" # whole as soon as it is seen
  done
  sleep 0.2
done
