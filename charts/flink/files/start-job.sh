#!/usr/bin/env bash
# Starts the JobManager of a job where the release's record says: start-job.sh ARGUMENT...
# The ARGUMENTs are those of Flink's standalone-job, or with $NATIVE of its kubernetes-application. The record is a ConfigMap that the hooks
# write, one file for each key; until it is there, and for what this pod runs, the pod waits.
#   JOB_SPECIFICATION      hash of what this pod runs
#   POD_UID                UID of this pod
#   HIGH_AVAILABILITY      true if Flink itself finds the job's newest checkpoint, by the job's id
#   CLAIM_DIRECTORY        where checkpoints/ and savepoints/ are files; empty if they are elsewhere
#   RETAINED_CHECKPOINTS   how many checkpoints are kept of the processes before this one
#   CLAIM_OWN_CHECKPOINTS  true if Flink may delete the checkpoint that it starts from in time, when it is this release's own
set -euo pipefail
shopt -s nullglob extglob
# shellcheck source=child.sh
source "${BASH_SOURCE[0]%/*}/child.sh"

record=${RECORD:-/opt/flink/record}
directory=${CLAIM_DIRECTORY:-}
log=${FLINK_HOME:-/opt/flink}/log

field() { if [[ -e $record/$1 ]]; then cat "$record/$1"; fi; }

say_once() {
  if [[ ${said:-} != "$*" ]]; then
    said=$*
    echo "$*" >&2
  fi
}

# Whether a hook has seen this generation running.
was_seen() { [[ $(field generation) == "$(field confirmed)" || $(field generation) == "$(field ran)" ]]; }

# Whether this generation of the job has run before, in this pod or another one, and so may have a checkpoint that is newer than the record's.
has_run() {
  local by files=("$log"/*.log*)
  if was_seen; then return 0; fi
  if [[ $(cat "$log/generation" 2>/dev/null) != "$(field generation)" ]]; then
    # Another pod may have run it since the operation that began it.
    by=$(field startBy)
    [[ $by && $(date +%s) -gt $by ]]
    return
  fi
  # Without a log, or one that tells little, nobody knows.
  if ((${#files[@]} == 0)) || ! grep -qs "INFO" "${files[@]}"; then return 0; fi
  grep -qs "Completed checkpoint" "${files[@]}"
}

# Complete checkpoints of a job under all its ids, and its savepoints: the newest first. Without a job, those of all.
states() {
  local half=${1:0:16} start=${1:0:6} files
  files=("$directory/checkpoints/$half"*/chk-*/_metadata "$directory/savepoints/$half"*/{stop/*,savepoint-*}/_metadata
    "$directory/savepoints/savepoint-$start"*/_metadata) # the last one is of `flink stop`
  # shellcheck disable=SC2012 # the names are Flink's own
  if ((${#files[@]})); then ls -td "${files[@]}"; fi
}

# The newest state of the job, or of one before it from which it resumes.
newest() {
  local job state
  if [[ ! $directory ]]; then return; fi
  for job in $(field job) $(field former); do
    if read -r state < <(states "$job"); then
      echo "${state%/_metadata}"
      return
    fi
  done
}

# Whether the job ended by itself, and not because a hook stopped it: in this pod, or as high availability remembers the one before it.
has_finished() {
  local job files=("$log"/*.log*)
  if [[ ${HIGH_AVAILABILITY:-} == true ]]; then
    for job in $(field former); do
      if [[ $directory ]] && grep -qs SUCCEEDED "$directory"/ha/job-result-store/*/"$job"*.json; then return 0; fi
    done
    return 1
  fi
  if [[ $(field pending) ]]; then return 1; fi
  if [[ $(cat "$log/generation" 2>/dev/null) != "$(field generation)" ]]; then return 1; fi
  ((${#files[@]})) && grep -qs "reached terminal state FINISHED" "${files[@]}"
}

# A path without its scheme, repeated slashes and the file's name: /a/chk-1 of file:///a/chk-1/_metadata.
plain() {
  local path=${1#file:}
  path=${path//+(\/)//}
  path=${path%/_metadata} path=${path%/}
  echo "/${path#/}"
}

# The checkpoint of the record, if it was this release's own and its files are gone.
gone() {
  local path
  if [[ ! $directory || $(field own) != true ]]; then return; fi
  path=$(plain "$(field restore)")
  if [[ $path == "$(plain "$directory")/checkpoints/"* && ! -e $path/_metadata ]]; then echo "$path"; fi
}

# Whether the job has run, and not on this volume: each start leaves a file, as a job without a checkpoint has no other. One before it of
# which nobody has ever seen a generation running may not have run at all.
has_run_elsewhere() {
  [[ $directory && ! -e $directory/started ]] && { was_seen || [[ $(field former) && $(field confirmed)$(field ran) == *[1-9]* ]]; }
}

# Why the job must not be started yet; empty if it may be.
hindrance() {
  if [[ ! $(field job) ]]; then
    echo "Waiting for the record of the release, which its hooks write: without it nobody knows from where the job resumes. Run helm upgrade with hooks."
  elif [[ $(field state) != running ]]; then
    echo "The job is $(field state): this pod does not run it."
  elif [[ $(field spec) != "$JOB_SPECIFICATION" ]]; then
    echo "The record is for specification $(field spec), this pod has $JOB_SPECIFICATION: waiting for the record or for the pod's end."
  elif [[ $(field pending) == replace || " $(field pending) " == " restart"*" ${POD_UID:-} "* ]]; then
    echo "The job continues in another pod: waiting for the end of this one."
  elif [[ ! $directory && ${HIGH_AVAILABILITY:-} != true && $(field checkpointDirectory) ]] && has_run; then
    echo "This JobManager has been restarted, and without high availability it cannot tell the job's newest checkpoint in $(field checkpointDirectory)." \
      "Name it with helm upgrade --set job.fromSavepoint=..., and set highAvailability.type=kubernetes, which finds it by itself."
  elif [[ ! $(newest) ]]; then
    hindrance_without_state
  fi
}

# The same, where the directory holds no state of the job.
hindrance_without_state() {
  local gone state
  gone=$(gone)
  if has_finished; then
    echo "The job has finished, and this JobManager has been restarted: it is not run again. $restart"
  elif [[ $gone ]]; then
    echo "Checkpoint $gone, from which the job started, is gone: Flink deletes it when the job finishes. It is not run again. $restart"
  elif [[ $directory && $(field first) == true ]] && ! was_seen && read -r state < <(states ""); then
    state=file://${state%/_metadata}
    echo "The release had no record, and $directory holds state of a job of its name, the newest in $state. Name where the job resumes with" \
      "helm upgrade --set job.fromSavepoint=$state, or restart it from scratch with helm upgrade --set job.upgradeMode=stateless."
  elif has_run_elsewhere; then
    echo "Nothing of the job is left in $directory, so this volume is another one than it ran on, or was emptied. Bring its files back, or name a" \
      "copy of its state with helm upgrade --set job.fromSavepoint=... To restart it from scratch, delete the release's record, which is a" \
      "ConfigMap, and then helm upgrade --set job.upgradeMode=stateless."
  fi
}
restart="To run it again, helm upgrade --set job.upgradeMode=stateless, or name its state with job.fromSavepoint."

# A job that has finished is not run again; its JobManager is still to be asked.
run_without_job() {
  local words=() script=(jobmanager.sh start-foreground)
  while [[ ${1:---} != -- ]]; do
    if [[ $1 == -D ]]; then
      words+=(-D "$2")
      shift
    fi
    shift
  done
  if [[ ${NATIVE:-} ]]; then script=(kubernetes-jobmanager.sh kubernetes-session); fi
  run_as_child "${FLINK_HOME:-/opt/flink}/bin/${script[0]}" "${script[1]}" "${words[@]}"
  exit
}

# A pod that waits would take its whole grace period to end otherwise.
trap 'exit 143' TERM
while reason=$(hindrance) && [[ $reason ]]; do
  say_once "$reason"
  if [[ $(field state) == finished ]]; then run_without_job "$@"; fi
  sleep 1
done

restore=$(field restore) own=$(field own)
if [[ $directory ]]; then
  mkdir -p "$directory" && touch "$directory/started"
  # Without high availability Flink remembers nothing: the files tell how far the job came.
  state=$(newest)
  if [[ $state ]]; then restore=file://$state own=true; fi
  # Each process has an id of its own and would leave its last checkpoints for ever.
  start=$(plain "$restore") previous=$(plain "$(field previous)")
  # A rollback goes there if this generation never runs, and nobody could tell its path.
  ways_back=" "
  for job in $(field previousFormer); do
    if read -r file < <(states "$job"); then ways_back+="$file "; fi
  done
  for job in $(field ids); do states "$job"; done | while read -r file; do
    state=${file%/_metadata}
    if [[ ${state##*/} != chk-* || $state -ef $start || $state -ef $previous || $ways_back == *" $file "* ]]; then continue; fi
    kept=$((${kept:-0} + 1))
    if ((kept >= ${RETAINED_CHECKPOINTS:-3})); then rm -rf "$state"; fi
  done
fi

id=$(field job)
# Without high availability the program is uploaded again, which a TaskManager refuses under an id that it knows: half of it is new.
if [[ ${HIGH_AVAILABILITY:-} != true ]]; then
  id=${id:0:16}$(tr -d - </proc/sys/kernel/random/uuid)
  id=${id:0:32}
fi

# The same for both modes: standalone-job has options, kubernetes-application takes keys of the configuration alone.
option() { if [[ ${NATIVE:-} ]]; then options+=(-D "$2=$3"); else options+=("$1" "$3"); fi; }
options=()
option --job-id "\$internal.pipeline.job-id" "$id"
if [[ $restore ]]; then
  option --fromSavepoint execution.state-recovery.path "$restore"
  # Of others, and of savepoints, Flink must not delete anything.
  if [[ $own == true && ${restore##*/} == chk-* && ${CLAIM_OWN_CHECKPOINTS:-} == true ]]; then
    options+=(-D execution.state-recovery.claim-mode=CLAIM)
  fi
fi

# The values may ask for another one since this pod was made, and the running job has it already. 0: as the options say.
parallelism=$(field parallelism)
if [[ ${parallelism:-0} != 0 ]]; then options+=(-D "parallelism.default=$parallelism"); fi

if [[ -w $log ]]; then field generation >"$log/generation"; fi
# Without the ARGUMENTs: those of the job may hold secrets.
echo "Starting the job: ${options[*]}"
script=(standalone-job.sh start-foreground)
if [[ ${NATIVE:-} ]]; then script=(kubernetes-jobmanager.sh kubernetes-application); fi
run_as_child "${FLINK_HOME:-/opt/flink}/bin/${script[0]}" "${script[1]}" "${options[@]}" "$@"
