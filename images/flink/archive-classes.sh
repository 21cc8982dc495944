#!/usr/bin/env bash
# Makes the class data archives of this image, from which a JVM maps classes instead of reading, checking and linking them at each start:
#
#   <folder>/flink.jsa             for the class path of all Flink processes; $JVM_ARGS names it
#   <folder>/bash-java-utils.jsa   for the small program that the start scripts run; $BASH_JAVA_UTILS_OPTS names it
#
# Runs while the image is built: a cluster runs a Python and a jar job, and what its JVMs load is archived. A JVM whose class path differs
# does without the archive. Whoever adds jars to lib/ can run this again: archive-classes.sh /opt/flink
set -euo pipefail

folder=$1
home=${FLINK_HOME:-/opt/flink}
lists=$(mktemp -d)
mkdir -p "$folder"
export FLINK_LOG_DIR=$lists

record() { # NAME COMMAND...: run a program of Flink and write down the classes that it loads
    JVM_ARGS="-XX:DumpLoadedClassList=$lists/$1.classes" "${@:2}"
}

registered() {
    python3 -c 'import json, urllib.request as request
print(json.load(request.urlopen("http://localhost:8081/overview"))["taskmanagers"])' 2>/dev/null || echo 0
}

# A build without a network has no address for its own name.
getent hosts "$(hostname)" >/dev/null || echo "127.0.0.1 $(hostname)" >>/etc/hosts

cd "$home"
# shellcheck disable=SC1091
classpath=$(set +eu && . bin/config.sh && constructFlinkClassPath)
java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xlog:disable -XX:ArchiveClassesAtExit="$folder/bash-java-utils.jsa" \
    -classpath "$home/bin/bash-java-utils.jar:${classpath##*:}" \
    org.apache.flink.runtime.util.bash.BashJavaUtils GET_TM_RESOURCE_PARAMS --configDir conf \
    -D taskmanager.memory.process.size=1g >"$lists/bash-java-utils.log" 2>&1

record jobmanager bin/jobmanager.sh start-foreground -D jobmanager.memory.process.size=1g >"$lists/jobmanager.log" 2>&1 &
record taskmanager bin/taskmanager.sh start-foreground -D taskmanager.host=localhost -D taskmanager.numberOfTaskSlots=2 \
    -D taskmanager.memory.process.size=1g >"$lists/taskmanager.log" 2>&1 &
for ((second = 0; $(registered) == 0; second++)); do
    if ((second == 120)); then
        tail -n 20 "$lists"/*.log >&2
        exit 1
    fi
    sleep 1
done
# The KDV job, compiled and started; no broker answers, so it must not wait for one, and reads nothing.
cat >"$lists/job.py" <<END
import sys
sys.path.insert(0, "$home/usrlib")
import kdv
from kdv_job.topics import KEPT_BYTES, Topics
kdv.prepare_topics = lambda *args: Topics(1, KEPT_BYTES)
kdv.main(["--bootstrap-servers=localhost:9092", "--output=file://$lists/csv"])
END
record python-client bin/flink run --detached --pyClientExecutable python3 --python "$lists/job.py"
record client bin/flink run examples/streaming/WordCount.jar >/dev/null
# shellcheck disable=SC2046
kill $(jobs -p)
wait || true

awk '!seen[$0]++' "$lists"/*.classes >"$lists/all"
java -Xshare:dump -XX:+UseG1GC -Xlog:disable -Xlog:all=error -XX:SharedClassListFile="$lists/all" -XX:SharedArchiveFile="$folder/flink.jsa" \
    -classpath "$classpath"
rm -r "$lists"
