#!/usr/bin/env bash
# Starts one Flink process, by the commands that the official image knows too. It never writes to the configuration: what differs from one process to the
# next is given as `-D key=value` after the command.
#
# DISABLE_JEMALLOC=true           use the allocator of the C library, whose memory grows with its arenas
# ENABLE_BUILT_IN_PLUGINS=A;B     use these jars of opt/ as plugins; plugins/ must be writable
set -euo pipefail

home=${FLINK_HOME:-/opt/flink}

usage() {
    cat <<'END'
Usage: docker-entrypoint.sh COMMAND [ARGUMENT...]

    jobmanager         a JobManager that waits for jobs
    standalone-job     a JobManager that runs the one job named by --job-classname
    taskmanager        a TaskManager
    history-server     the history server
    help               this text

Anything else is executed as it is. Options of Flink are given as -D key=value.
END
}

use_jemalloc() {
    local library
    library=/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so.2
    if [[ -e $library ]]; then
        export LD_PRELOAD=${LD_PRELOAD:+$LD_PRELOAD:}$library
    else
        echo "warning: there is no $library: memory may grow more than Flink counts on" >&2
    fi
}

link_plugins() {
    local jars jar folder
    IFS=';' read -ra jars <<<"$1"
    for jar in "${jars[@]}"; do
        [[ -n $jar ]] || continue
        if [[ ! -f $home/opt/$jar ]]; then
            echo "error: ENABLE_BUILT_IN_PLUGINS names $jar, which is not in $home/opt: name one of its files" >&2
            exit 1
        fi
        folder=$home/plugins/${jar%.jar}
        mkdir -p "$folder"
        ln -sf "$home/opt/$jar" "$folder/"
    done
}

# Two variables of the official image that rewrite the configuration: without this, they would be ignored in silence.
for name in FLINK_PROPERTIES JOB_MANAGER_RPC_ADDRESS; do
    if [[ -n ${!name:-} ]]; then
        echo "error: this image does not read $name: give options as -D key=value, or mount a folder over $home/conf" >&2
        exit 2
    fi
done

[[ ${DISABLE_JEMALLOC:-false} == true ]] || use_jemalloc
[[ -z ${ENABLE_BUILT_IN_PLUGINS:-} ]] || link_plugins "$ENABLE_BUILT_IN_PLUGINS"

command=${1:-help}
case $command in
    help | --help | -h) usage ;;
    jobmanager | standalone-job | taskmanager) exec "$home/bin/$command.sh" start-foreground "${@:2}" ;;
    history-server) exec "$home/bin/historyserver.sh" start-foreground "${@:2}" ;;
    *) exec "$@" ;;
esac
