#!/usr/bin/env bash
# Behaves as the entrypoint of Flink's own image does, for the image that stands in for it. What it cannot write it complains of and goes on, so that
# there is no `set -e`: with a read-only configuration Flink starts with that as it is.
#
# FLINK_PROPERTIES                     lines `key: value` for the configuration; spaces are lost, $NAME is a variable of the environment
# JOB_MANAGER_RPC_ADDRESS              the JobManager's host; without it that of this container
# TASK_MANAGER_NUMBER_OF_TASK_SLOTS    slots of a TaskManager
# ENABLE_BUILT_IN_PLUGINS=A.jar;B.jar  these jars of opt/ as plugins; one that is not there ends the container
# DISABLE_JEMALLOC                     anything but `false`: the allocator of the C library
set -u

home=$FLINK_HOME

enable_plugins() {
    local jars jar folder
    IFS='; ' read -ra jars <<<"$1"
    for jar in "${jars[@]}"; do
        folder=$home/plugins/${jar%.jar}
        mkdir -p "$folder"
        if [[ ! -e $home/opt/$jar ]]; then
            echo "The plugin $jar is not in $home/opt: the container ends."
            exit 1
        fi
        ln -sf "$home/opt/$jar" "$folder" && echo "The plugin $jar is on."
    done
}

use_jemalloc() {
    local library
    library=/usr/lib/$(uname -m)-linux-gnu/libjemalloc.so
    if [[ -f $library ]]; then
        export LD_PRELOAD=${LD_PRELOAD:-}:$library
    else
        echo "WARNING: there is no $library: the allocator of the C library is used."
    fi
}

# A program of Flink reads config.yaml, and its script writes it anew: a JVM for each call, and the option of a later one wins.
configure() { "$home/bin/config-parser-utils.sh" "$home/conf" "$home/bin" "$home/lib" "$@"; }

configure_address() {
    local options=(
        "-Djobmanager.rpc.address=${JOB_MANAGER_RPC_ADDRESS:-$(hostname -f)}"
        -Dblob.server.port=6124
        -Dquery.server.port=6125
    )
    if [[ ${TASK_MANAGER_NUMBER_OF_TASK_SLOTS:-} ]]; then
        options+=("-Dtaskmanager.numberOfTaskSlots=$TASK_MANAGER_NUMBER_OF_TASK_SLOTS")
    fi
    configure "${options[@]}"
}

configure_properties() {
    local key value options=()
    while IFS=: read -r key value; do
        if [[ $key$value ]]; then options+=("-D$key=$(envsubst <<<"$value")"); fi
    done < <(tr -d '[:blank:]\r' <<<"$1")
    if ((${#options[@]})); then configure "${options[@]}"; fi
}

as=()
if ((EUID == 0)); then
    if command -v gosu >/dev/null; then as=(gosu flink); else echo "WARNING: Flink runs as root: take another user."; fi
fi
if [[ ${DISABLE_JEMALLOC:-false} == false ]]; then use_jemalloc; fi
if [[ ${ENABLE_BUILT_IN_PLUGINS:-} ]]; then enable_plugins "$ENABLE_BUILT_IN_PLUGINS"; fi
configure_address
if [[ ${FLINK_PROPERTIES:-} ]]; then configure_properties "$FLINK_PROPERTIES"; fi

case ${1:-} in
    help)
        echo "Usage: ${0##*/} jobmanager|standalone-job|taskmanager|history-server [ARGUMENT...], or any other command."
        echo "jemalloc is the allocator unless DISABLE_JEMALLOC=true."
        exit ;;
    jobmanager | standalone-job | taskmanager) command=("$home/bin/$1.sh" start-foreground "${@:2}") ;;
    history-server) command=("$home/bin/historyserver.sh" start-foreground "${@:2}") ;;
    *) command=("$@") ;;
esac
exec "${as[@]}" "${command[@]}"
