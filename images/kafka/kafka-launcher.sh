#!/bin/sh
# The programs of Kafka that a broker and its users need, under the names that Kafka gives them: each is a link to this file.
#
# KAFKA_HEAP_OPTS, KAFKA_OPTS       further arguments of the JVM
# KAFKA_LOG4J_OPTS                  replaces the choice of the logging configuration
set -eu

home=${KAFKA_HOME:-/opt/kafka}
heap=-Xmx256m
log4j=tools-log4j2.properties
program=${0##*/}

case $program in
    kafka-server-start.sh)      main=kafka.Kafka heap='-Xms512m -Xmx512m' log4j=log4j2.properties ;;
    kafka-storage.sh)           main=kafka.tools.StorageTool ;;
    kafka-topics.sh)            main=org.apache.kafka.tools.TopicCommand ;;
    kafka-configs.sh)           main=kafka.admin.ConfigCommand ;;
    kafka-console-producer.sh)  main=org.apache.kafka.tools.ConsoleProducer ;;
    kafka-console-consumer.sh)  main=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
    kafka-consumer-groups.sh)   main=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
    kafka-get-offsets.sh)       main=org.apache.kafka.tools.GetOffsetShell ;;
    *)
        echo "$program is no program of this image: see the scripts in $home/bin." >&2
        exit 2 ;;
esac

# Short-lived programs start faster without the optimizing compiler. The lists of arguments are split on purpose.
[ "$program" = kafka-server-start.sh ] || heap="$heap -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# shellcheck disable=SC2086
exec java ${KAFKA_HEAP_OPTS:-$heap} ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/$log4j} ${KAFKA_OPTS:-} \
    -cp "$home/libs/*" "$main" "$@"
