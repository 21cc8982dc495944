#!/usr/bin/env bash
# Starts the JobManager of a job where the release's record says.
#   job.sh SPEC HA FOLDER SAVEPOINT ARGUMENT...
# HA is true if high availability knows the job, SPEC is the hash of what this pod runs, FOLDER holds checkpoints/ and savepoints/ if
# a claim is mounted, SAVEPOINT is job.fromSavepoint; the ARGUMENTs are those of Flink's standalone-job, or with $NATIVE of its
# kubernetes-application, which takes options of the configuration alone. The record is a ConfigMap that the hooks write, one file for
# each key; without hooks there is none.
set -euo pipefail

spec=$1 ha=$2 folder=$3 restore=$4
shift 4
record=${RECORD:-/opt/flink/record}

field() { if [[ -e $record/$1 ]]; then cat "$record/$1"; fi; }

# Sets `option` to one of standalone-job, or to the key of the same effect: with OPTION KEY VALUE
with() { if [[ ${NATIVE:-} ]]; then option=(-D "$2=$3"); else option=("$1" "$3"); fi; }

# The newest complete checkpoint of a job, or the savepoint with which it was stopped, under all its ids.
newest() {
  local file half=${1:0:16}
  # shellcheck disable=SC2012 # the names are Flink's own
  file=$(ls -td "$folder/checkpoints/$half"*/chk-*/_metadata "$folder/savepoints/$half"*/stop/*/_metadata 2>/dev/null | head -n 1) || true
  if [[ $file ]]; then echo "file:${file%/_metadata}"; fi
}

# The first process of a container is deaf to SIGTERM otherwise, and a pod that waits would take its whole grace period to end.
trap 'exit 143' TERM

if [[ -e $record/job ]]; then
  # A pod that starts again after its job was stopped for another specification must not run it once more.
  while [[ $(field spec) != "$spec" ]]; do
    echo "The record is for specification $(field spec), this pod has $spec: waiting for the record or for the pod's end." >&2
    sleep 2
  done
  restore=$(field restore)
  # Without high availability Flink remembers nothing: the claim tells how far the job came.
  if [[ $folder ]]; then
    for job in "$(field job)" "$(field former)"; do
      found=$([[ $job ]] && newest "$job") || true
      if [[ $found ]]; then
        restore=$found
        break
      fi
    done
  fi
  id=$(field job)
  # Without high availability the program is uploaded anew, which a TaskManager refuses under an id that it knows: half of it is new.
  if [[ $ha != true ]]; then
    id=${id:0:16}$(tr -d - </proc/sys/kernel/random/uuid)
    id=${id:0:32}
  fi
  with --job-id "\$internal.pipeline.job-id" "$id"
  set -- "${option[@]}" "$@"
fi
if [[ $restore ]]; then
  # A checkpoint goes on as the job's own and is cleaned up by Flink; a savepoint stays the user's.
  if [[ ${restore##*/} == chk-* ]]; then set -- -D execution.state-recovery.claim-mode=CLAIM "$@"; fi
  with --fromSavepoint execution.state-recovery.path "$restore"
  set -- "${option[@]}" "$@"
fi
echo "Starting the job: $*"
script=(standalone-job.sh start-foreground)
if [[ ${NATIVE:-} ]]; then script=(kubernetes-jobmanager.sh kubernetes-application); fi
exec "${FLINK_HOME:-/opt/flink}/bin/${script[0]}" "${script[1]}" "$@"
