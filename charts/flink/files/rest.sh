#!/usr/bin/env bash
# Asks a JobManager's REST API with bash alone: neither curl nor Python is part of the image's contract.
#   rest.sh get HOST PORT PATH                        prints the answer; fails unless the status is 200
#   rest.sh probe PORT PATH                           fails unless this pod itself answers with 200
#   rest.sh checkpoint HOST PORT                      has each job that runs complete a checkpoint, and waits for it up to 20 seconds
#   rest.sh registered HOST PORT                      fails unless the TaskManager of this pod is registered
#   rest.sh check HOST PORT TASKMANAGERS TYPE [METRICS-HOST METRICS-PORT]
#                                                     waits up to two minutes for the TaskManagers (a number, or any), where TYPE is
#                                                     job for it to run with all its tasks, and for Flink's reporter to say so
# Where the pod has certificates in $TLS, with openssl: REST then speaks TLS.
set -euo pipefail

seconds=30
tls=${TLS:-/opt/flink/tls/rest}
[[ -e $tls/ca.crt ]] || tls=''

# Sends its input to a server, and prints the answer.
exchange_encrypted() {
  local host=$1 port=$2
  local options=(-quiet -verify_quiet -verify_return_error -partial_chain -CAfile "$tls/ca.crt" -servername "$host")
  if [[ $host != "${POD_IP:-}" ]]; then options+=(-verify_hostname "$host"); fi # a pod may ask itself by its address
  if [[ $host == *:* ]]; then host="[$host]"; fi
  if [[ -e $tls/tls.key ]]; then options+=(-cert "$tls/tls.crt" -cert_chain "$tls/tls.crt" -key "$tls/tls.key"); fi
  timeout "$seconds" openssl s_client "${options[@]}" -connect "$host:$port" || true # the answer tells whether it went well
}

# Prints the body of an HTTP answer; fails unless the status is 200 or 202.
body() {
  local status header
  read -r _ status _ || return 1
  while IFS= read -r header && [[ $header != $'\r' ]]; do :; done
  cat
  [[ $status == 20[02] ]]
}

# In a pipeline, whose parts bash waits for: what outlives a probe stays a zombie where Flink's process is PID 1, which waits for no child.
get() {
  local host=$1 port=$2 path=$3 method=${4:-GET} request
  request="$method $path HTTP/1.1"$'\r\n'"Host: $host"$'\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
  if [[ $tls ]]; then
    printf '%s' "$request" | exchange_encrypted "$host" "$port" | body
  else
    exec 3<>"/dev/tcp/$host/$port" || return 1
    printf '%s' "$request" >&3
    body <&3
  fi
}

# For a kubelet, which has no certificate of a client. Ends before the kubelet, after five seconds, ends it without its children.
probe() { seconds=4 get "$POD_IP" "$1" "$2" >/dev/null; }

checkpoint() {
  local host=$1 port=$2 jobs trigger path
  local triggers=()
  jobs=$(get "$host" "$port" /jobs)
  while [[ $jobs =~ '"id":"'([0-9a-f]{32})'","status":"RUNNING"' ]]; do
    jobs=${jobs#*"${BASH_REMATCH[0]}"}
    path=/jobs/${BASH_REMATCH[1]}/checkpoints
    trigger=$(get "$host" "$port" "$path" POST) || continue
    if [[ $trigger =~ '"request-id":"'([0-9a-f]+)'"' ]]; then triggers+=("$path/${BASH_REMATCH[1]}"); fi
  done
  for path in "${triggers[@]}"; do
    while ((SECONDS < 20)) && [[ $(get "$host" "$port" "$path") == *IN_PROGRESS* ]]; do sleep 0.2; done
  done
}

registered() {
  # The list, because Flink logs an error for each question after a TaskManager that it does not know.
  [[ $(seconds=4 get "$1" "$2" /taskmanagers) == *"\"id\":\"$POD_NAME\""* ]]
}

# Of several JobManagers the leader alone reports these; asked again, the Service gives another one.
reported() {
  local type=$1 host=$2 port=$3 metrics running=$'(^|\n)flink_jobmanager_job_runningState\\{[^\n]*\\} 1\\.0'
  metrics=$(tls='' get "$host" "$port" /metrics 2>/dev/null) || return 1
  if [[ $type == job ]]; then
    [[ $metrics =~ $running ]]
  else
    [[ $metrics == *flink_jobmanager_numRegisteredTaskManagers* ]]
  fi
}

# Whether a job of /jobs/overview runs with all its tasks: Flink calls it RUNNING before they start, and while they fail again and again.
tasks_run() {
  local tasks
  [[ $1 =~ '"state":"RUNNING"'[^\}]*'"tasks":{'([^\}]*) ]] || return 1
  tasks=${BASH_REMATCH[1]}
  (($(count total "$tasks") > 0 && $(count running "$tasks") + $(count finished "$tasks") == $(count total "$tasks")))
}

count() { if [[ $2 =~ "\"$1\":"([0-9]+) ]]; then echo "${BASH_REMATCH[1]}"; else echo 0; fi; }

check() {
  local host=$1 port=$2 taskmanagers=$3 type=$4 metrics=${5:-} overview='' jobs='' job='' reports=''
  [[ $type != job ]] || job=", the job is running with all its tasks"
  [[ ! $metrics ]] || reports=", and its metrics say so"
  for ((second = 0; second < 120; second++)); do
    if overview=$(get "$host" "$port" /overview 2>/dev/null) &&
      [[ $taskmanagers == any || $overview == *"\"taskmanagers\":$taskmanagers,"* ]] &&
      { [[ $type != job ]] || { jobs=$(get "$host" "$port" /jobs/overview 2>/dev/null) && tasks_run "$jobs"; }; } &&
      { [[ ! $metrics ]] || reported "$type" "$metrics" "$6"; }; then
      echo "REST answers, $taskmanagers TaskManagers are registered$job$reports: $overview"
      return 0
    fi
    sleep 1
  done
  echo "Not there after two minutes: $taskmanagers TaskManagers are registered$job$reports." \
    "The last answer of http${tls:+s}://$host:$port/overview: ${overview:-none}${jobs:+, of /jobs/overview: $jobs}" >&2
  if [[ $tls && ! $overview ]]; then get "$host" "$port" /overview >&2 || true; fi # says what is wrong with the certificates
  return 1
}

"$@"
