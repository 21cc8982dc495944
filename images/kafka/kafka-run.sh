#!/usr/bin/env bash
# What the image does by itself: a broker whose options are variables, such as KAFKA_LOG_DIRS for log.dirs. A single underscore is a dot, two are an
# underscore, three a hyphen. NAME=VALUE as an argument is such a variable too. Options of /mnt/shared/config/server.properties come first; where
# there are neither, /etc/kafka/docker/server.properties are all.
#
# CLUSTER_ID    id of the cluster, 16 bytes in base64
set -euo pipefail

home=${KAFKA_HOME:-/opt/kafka} mounted=${KAFKA_MOUNTED:-/mnt/shared/config} defaults=${KAFKA_DEFAULTS:-/etc/kafka/docker}

options() {
    local name value option
    while IFS='=' read -r -d '' name value; do
        case $name in
            KAFKA_HOME | KAFKA_MOUNTED | KAFKA_DEFAULTS) ;;
            KAFKA_OPTS | KAFKA_*_OPTS | KAFKA_VERSION | KAFKA_GC_LOG_* | KAFKA_LOG4J_* | KAFKA_TOOLS_LOG4J_* | KAFKA_JMX_*) ;;
            KAFKA_*)
                option=${name#KAFKA_}
                option=${option//___/-}
                option=${option//__/$'\n'}
                option=${option//_/.}
                option=${option//$'\n'/_}
                echo "${option,,}=$value"
                ;;
        esac
    done < <(env -0 | sort -z)
}

for word in "$@"; do export "${word?}"; done
file=$home/config/server.properties
given=$(options)
rm -f "$file"
if [[ -d $mounted ]]; then cp -R "$mounted/." "$home/config/"; fi
if [[ $given ]]; then
    printf '\n%s\n' "$given" >>"$file"
elif [[ ! -e $file ]]; then
    cp "$defaults/server.properties" "$file"
fi
"$home/bin/kafka-storage.sh" format --ignore-formatted --cluster-id "${CLUSTER_ID:-ZmxpbmstaGVsbS1kZW1vMQ}" --config "$file"
exec "$home/bin/kafka-server-start.sh" "$file"
