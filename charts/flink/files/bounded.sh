#!/usr/bin/env bash
# Runs a TaskManager of a bounded job: it begins when the JobManager answers, and ends well when the JobManager is gone for good.
#   bounded.sh HOST PORT ARGUMENT...
# HOST and PORT are those of the JobManager's RPC: its Service leads there before REST is ready, which a job that fails at once never
# sees. The ARGUMENTs are those of Flink's taskmanager.sh. $WAIT_SECONDS (600) bound the wait for the first answer. A JobManager that
# comes back in time (taskmanager.registration.timeout) finds its TaskManagers; without one, Flink's process fails, though nothing is
# left to do.
set -euo pipefail
# shellcheck source=child.sh
source "${BASH_SOURCE[0]%/*}/child.sh"

host=$1 port=$2
shift 2

answers() { timeout 5 bash -c "exec 3<>/dev/tcp/$host/$port" 2>/dev/null; }

# A pod that waits would take its whole grace period to end otherwise.
trap 'exit 143' TERM
until answers; do
  if ((SECONDS >= ${WAIT_SECONDS:-600})); then
    echo "No JobManager has answered for $SECONDS seconds: the job has ended, or was never begun."
    exit 0
  fi
  sleep 1
done
code=0
run_as_child "${FLINK_HOME:-/opt/flink}/bin/taskmanager.sh" start-foreground "$@" || code=$?
if ((code)) && ! answers; then
  echo "The JobManager is gone: the job has ended, and this TaskManager (exit code $code) with it."
  exit 0
fi
exit "$code"
