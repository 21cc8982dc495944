#!/usr/bin/env bash
# kafka-ready.sh PORT: asks the broker which requests it knows (ApiVersions, version 0) and looks for its answer without an error.
# A client of Kafka's own would start a JVM for each probe.
set -euo pipefail
exec 3<>"/dev/tcp/127.0.0.1/$1"
# Length 10, request 18, version 0, correlation id 7, no client id.
printf '\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x07\xff\xff' >&3
# Length, the same correlation id, error code 0.
answer=$(head -c 10 <&3 | od -An -v -tx1 | tr -d ' \n')
[[ ${answer:8} == 000000070000 ]]
