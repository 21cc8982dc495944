#!/usr/bin/env bash
# Asks a JobManager's REST API with bash alone: neither curl nor Python is part of the image's contract.
#   rest.sh get HOST PORT PATH                        prints the answer; fails unless the status is 200
#   rest.sh registered HOST PORT                      fails unless the TaskManager of this pod is registered
#   rest.sh check HOST PORT TASKMANAGERS [job]        waits up to two minutes for the TaskManagers (a number, or any), and for the job to run
set -euo pipefail

get() {
  local host=$1 port=$2 path=$3 status header
  exec 3<>"/dev/tcp/$host/$port" || return 1
  printf 'GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$path" "$host" >&3
  read -r _ status _ <&3
  while IFS= read -r header && [[ $header != $'\r' ]]; do :; done <&3
  cat <&3
  exec 3>&-
  [[ $status == 200 ]]
}

registered() {
  # The list, because Flink logs an error for each question after a TaskManager that it does not know.
  [[ $(get "$1" "$2" /taskmanagers) == *"\"id\":\"$POD_NAME\""* ]]
}

check() {
  local host=$1 port=$2 taskmanagers=$3 mode=${4:-session} overview=
  for ((second = 0; second < 120; second++)); do
    if overview=$(get "$host" "$port" /overview 2>/dev/null) &&
      [[ $taskmanagers == any || $overview == *"\"taskmanagers\":$taskmanagers,"* ]] &&
      [[ $mode != job || $overview == *'"jobs-running":1,'* ]]; then
      echo "REST answers, $taskmanagers TaskManagers are registered${4:+, the job is running}: $overview"
      return 0
    fi
    sleep 1
  done
  echo "Not there after two minutes: $taskmanagers TaskManagers${4:+ and a running job}. The last answer of http://$host:$port/overview: ${overview:-none}" >&2
  return 1
}

"$@"
