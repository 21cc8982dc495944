#!/usr/bin/env bash
# A docker runtime for machines that hold fewer capabilities than containers ask for: privileged containers, kind's nodes
# among them, would not start. It takes the missing capabilities (a JSON list in missing.json beside this file) and
# negative oomScoreAdj values out of what runc is asked to apply, then runs runc. It never asks for more.
set -euo pipefail

missing="$(dirname "$(readlink -f "$0")")/missing.json"
file="" bundle=. command="" previous=""
for word in "$@"; do
  case "$previous" in
    --bundle | -b) bundle=$word ;;
    --process | -p) file=$word ;;
  esac
  case "$word" in
    --bundle=*) bundle=${word#*=} ;;
    --process=*) file=${word#*=} ;;
    create | run | exec) command=${command:-$word} ;;
  esac
  previous=$word
done

case "$command" in
  create | run) file=$bundle/config.json ;;
  exec) ;;
  *) file="" ;;
esac
if [[ -n $file ]]; then
  # A container has its process under .process; the file of an exec is the process itself.
  edited=$(jq --slurpfile missing "$missing" '
    def reduced:
      (if .capabilities then .capabilities |= map_values(. - $missing[0]) else . end)
      | (if (.oomScoreAdj // 0) < 0 then .oomScoreAdj = 0 else . end);
    if .process then .process |= reduced else reduced end' "$file")
  printf '%s\n' "$edited" > "$file"
fi
exec runc "$@"
