#!/usr/bin/env bash
# run_as_child COMMAND ARGUMENT...: runs Flink's start scripts as a child, waits for its end, and returns its exit code.
# The first process of a container is deaf to signals that it does not handle, and these scripts handle none: as that process, those of a
# pod that was deleted while they ran would start Flink all the same, and its job would run beside that of the next pod until the grace
# period is over.
run_as_child() {
  local child code=0
  "$@" &
  child=$!
  trap 'kill -TERM "$child" 2>/dev/null || :' TERM
  wait "$child" || code=$?
  # A signal ends the wait, and not the child.
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
  return "$code"
}
