{{/*
A quantity of Kubernetes ("1728Mi", "2Gi", "2G", bytes) in MiB, rounded down: (dict "key" "..." "quantity" "...").
*/}}
{{- define "flink.mebibytes" -}}
{{- $mebibytes := include "flink.mebibytes.plain" .quantity -}}
{{- if not $mebibytes -}}
{{- fail (printf (cat
      "%s is %q, which the chart cannot turn into Flink's memory: write a whole number with Mi or Gi, for example 2Gi.")
      .key (include "flink.text" .quantity)) -}}
{{- end -}}
{{- $mebibytes -}}
{{- end }}

{{/* The same of a quantity alone; empty where it is none of those. */}}
{{- define "flink.mebibytes.plain" -}}
{{- $quantity := include "flink.text" . -}}
{{- if regexMatch "^[0-9]+(Mi|Gi|Ti|M|G|T)?$" $quantity -}}
{{- $number := regexFind "^[0-9]+" $quantity -}}
{{- $bytes := dict "" 1 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- div (mul (int64 $number) (get $bytes (trimPrefix $number $quantity))) 1048576 -}}
{{- end -}}
{{- end }}

{{/* A quantity of CPU ("250m", "2", 1.5) in cores; empty where it is none. */}}
{{- define "flink.cores" -}}
{{- $quantity := include "flink.text" . -}}
{{- if regexMatch "^[0-9]+m$" $quantity -}}
{{- divf (trimSuffix "m" $quantity | float64) 1000 -}}
{{- else if regexMatch "^[0-9]*[.]?[0-9]+$" $quantity -}}
{{- $quantity -}}
{{- end -}}
{{- end }}

{{/* A value as the text that its author wrote: Helm reads whole numbers as floats and would print 1e+06. */}}
{{- define "flink.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* A duration as Flink reads it, to which a plain number is milliseconds. */}}
{{- define "flink.duration" -}}
{{ include "flink.text" . }}{{ if not (kindIs "string" .) }} ms{{ end }}
{{- end }}

{{/* The ports of Flink besides REST's. */}}
{{- define "flink.ports" -}}
{data: 6121, taskmanager: 6122, jobmanager: 6123, blob: 6124, query: 6125}
{{- end }}

{{/* Value of one option of the final configuration, empty if it is not set: (dict "root" $ "key" "..."). */}}
{{- define "flink.option" -}}
{{- $value := get (include "flink.configuration" .root | fromYaml) .key -}}
{{- if not (kindIs "invalid" $value) }}{{ $value }}{{ end -}}
{{- end }}

{{/* True if a high availability service is configured. */}}
{{- define "flink.highlyAvailable" -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $type := get $given "high-availability.type" | default .Values.highAvailability.type | toString | lower -}}
{{- if not (has $type (list "none" "")) }}true{{ end -}}
{{- end }}

{{/* How Flink gives jobs their slots: reactive, adaptive, or empty for one that waits for all of them. */}}
{{- define "flink.scheduler" -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $scheduler := get $given "jobmanager.scheduler" -}}
{{- if and (not $scheduler) (include "flink.autoscaled" .) }}{{ $scheduler = "adaptive" }}{{ end -}}
{{- if eq (get $given "scheduler-mode" | default "" | lower) "reactive" -}}
reactive
{{- else if eq ($scheduler | lower) "adaptive" -}}
adaptive
{{- end -}}
{{- end }}

{{/* True if Kubernetes itself keeps the leader and the jobs, in ConfigMaps that Flink writes. */}}
{{- define "flink.leaderInKubernetes" -}}
{{- if eq .Values.highAvailability.type "kubernetes" }}true{{ end -}}
{{- end }}

{{/* True if ZooKeeper does. */}}
{{- define "flink.leaderInZooKeeper" -}}
{{- if eq .Values.highAvailability.type "zookeeper" }}true{{ end -}}
{{- end }}

{{/*
Where high availability keeps jobs, as JSON; empty without it. A JobManager that keeps them elsewhere finds none of
them. The name of the cluster is left out, which never changes.
*/}}
{{- define "flink.highAvailability.place" -}}
{{- $place := dict -}}
{{- if include "flink.highlyAvailable" . -}}
{{- $options := include "flink.configuration" . | fromYaml -}}
{{- range $name, $key := dict "type" "high-availability.type" "folder" "high-availability.storageDir"
      "endpoint" "s3.endpoint" "servers" "high-availability.zookeeper.quorum"
      "path" "high-availability.zookeeper.path.root" -}}
{{- with get $options $key }}{{ $_ := set $place $name . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $place -}}
{{- end }}

{{/* True if it is the chart's own. */}}
{{- define "flink.zookeeper.bundled" -}}
{{- if and (include "flink.leaderInZooKeeper" .) (not .Values.highAvailability.zookeeper.quorum) }}true{{ end -}}
{{- end }}

{{- define "flink.zookeeper.quorum" -}}
{{- .Values.highAvailability.zookeeper.quorum | default (printf "%s:2181" (include "flink.zookeeper.name" .)) -}}
{{- end }}

{{/* The Secret with the certificates of those who ask it; empty: they speak plain. */}}
{{- define "flink.zookeeper.secret" -}}
{{- if include "flink.leaderInZooKeeper" . }}{{ tpl .Values.highAvailability.zookeeper.tls.secretName . }}{{ end -}}
{{- end }}

{{/* Other namespaces, and other clusters of Kubernetes, may use the same servers. */}}
{{- define "flink.zookeeper.path" -}}
{{- .Values.highAvailability.zookeeper.root | default (printf "/flink/%s" .Release.Namespace) -}}
{{- end }}

{{/*
The whole Flink configuration as flat keys, the user's over the chart's. Every option of the chart is set here and
nowhere else, save for those that differ by pod (arguments of the workloads). Option names are those of Flink 1.20 and
2.x.
*/}}
{{- define "flink.configuration" -}}
{{- $ports := include "flink.ports" . | fromYaml -}}
{{- $config := dict
      "jobmanager.rpc.address" (include "flink.jobmanager.name" .)
      "jobmanager.rpc.port" (toString $ports.jobmanager)
      "jobmanager.bind-host" "0.0.0.0"
      "blob.server.port" (toString $ports.blob)
      "rest.address" (include "flink.rest.name" .)
      "rest.port" (include "flink.text" .Values.rest.port)
      "rest.bind-address" "0.0.0.0"
      "taskmanager.bind-host" "0.0.0.0"
      "taskmanager.rpc.port" (toString $ports.taskmanager)
      "taskmanager.data.port" (toString $ports.data)
      "metrics.internal.query-service.port" (toString $ports.query)
      "taskmanager.numberOfTaskSlots" (include "flink.text" .Values.taskmanager.slots)
      "parallelism.default" "1"
      "io.tmp.dirs" "/tmp"
      "python.client.executable" "python3"
-}}
{{- range $role := list "jobmanager" "taskmanager" -}}
{{- $key := printf "%s.resources.limits.memory" $role -}}
{{- $limit := dig "resources" "limits" "memory" "" (get $.Values $role) -}}
{{- $_ := set $config (printf "%s.memory.process.size" $role)
      (printf "%sm" (include "flink.mebibytes" (dict "key" $key "quantity" $limit))) -}}
{{- end -}}
{{- /* The mounted directory replaces the shipped config.yaml, which opens these packages to Flink's serializers under
Java 17. */ -}}
{{- $_ := set $config "env.java.default-opts.all" (include "flink.javaOptions" .) -}}
{{- /* A JobManager works most when it starts, on code that runs once: compiled by C1 alone it takes half the CPU, and
the job is back sooner. */ -}}
{{- $_ := set $config "env.java.default-opts.jobmanager" "-XX:TieredStopAtLevel=1" -}}
{{- /* What Flink answers of checkpoints is of this moment: after a job has been cancelled, hooks ask for its last one.
By default the answer may be three seconds old, and hooks wait for as long. */ -}}
{{- $_ := set $config "rest.cache.checkpoint-statistics.timeout" "0 ms" -}}
{{- /* A TaskManager finds a JobManager that was replaced a second after it listens, not up to ten. */ -}}
{{- $_ := set $config "cluster.registration.error-delay" "1 s" -}}
{{- /* Without high availability nobody tells a TaskManager that its JobManager was restarted, save heartbeats that
fail to come. Flink's own are 10 s and 50 s. */ -}}
{{- if not (include "flink.highlyAvailable" .) -}}
{{- $_ := set $config "heartbeat.interval" "5 s" -}}
{{- $_ := set $config "heartbeat.timeout" "20 s" -}}
{{- end -}}
{{- $config = merge $config (include "flink.state.options" . | fromJson)
      (include "flink.metrics.options" . | fromJson) (include "flink.hive.options" . | fromJson) -}}
{{- if include "flink.bounded" . -}}
{{- /* The process ends with its job, well or not. */ -}}
{{- $_ := set $config "execution.shutdown-on-application-finish" "true" -}}
{{- /* How long a JobManager may be gone before its TaskManagers end. */ -}}
{{- $_ := set $config "taskmanager.registration.timeout" "1 min" -}}
{{- else if eq .Values.flink.type "job" -}}
{{- /* A job that ended stays visible over REST; otherwise its JobManager would exit, be restarted and run the job
again. */ -}}
{{- $_ := set $config "execution.shutdown-on-application-finish" "false" -}}
{{- /* A JobManager that starts again must know that its job was stopped, and not run it without its state. */ -}}
{{- $_ := set $config "job-result-store.delete-on-commit" "false" -}}
{{- end -}}
{{- if .Values.historyServer.enabled -}}
{{- /* The JobManager writes what the server reads, also where only one of them is named; that may be a list. */ -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $archive := include "flink.state.folder" (dict "root" . "part" "archive") -}}
{{- $archive = get $given "historyserver.archive.fs.dir" | splitList "," | first | default $archive | trim -}}
{{- $archive = get $given "jobmanager.archive.fs.dir" | default $archive -}}
{{- $_ := set $config "jobmanager.archive.fs.dir" $archive -}}
{{- $_ := set $config "historyserver.archive.fs.dir" $archive -}}
{{- $_ := set $config "historyserver.web.port" "8082" -}}
{{- end -}}
{{- $name := include "flink.fullname" . -}}
{{- if include "flink.highlyAvailable" . -}}
{{- $_ := set $config "high-availability.cluster-id" $name -}}
{{- end -}}
{{- if include "flink.leaderInKubernetes" . -}}
{{- /* A JobManager that ends does not always give its lease back. These are about those of Kubernetes' own
controllers; Flink's are 15, 15 and 5 s. */ -}}
{{- $config = merge $config (dict
      "high-availability.type" "kubernetes"
      "high-availability.kubernetes.leader-election.lease-duration" "10 s"
      "high-availability.kubernetes.leader-election.renew-deadline" "8 s"
      "high-availability.kubernetes.leader-election.retry-period" "2 s") -}}
{{- else if include "flink.leaderInZooKeeper" . -}}
{{- $config = merge $config (dict
      "high-availability.type" "zookeeper"
      "high-availability.jobmanager.port" (toString $ports.jobmanager)
      "high-availability.zookeeper.quorum" (include "flink.zookeeper.quorum" .)
      "high-availability.zookeeper.path.root" (include "flink.zookeeper.path" .)) -}}
{{- /* A server that is restarted interrupts no job, as long as the session lives. */ -}}
{{- $_ := set $config "high-availability.zookeeper.client.tolerate-suspended-connections" "true" -}}
{{- end -}}
{{- if or (include "flink.leaderInKubernetes" .) (include "flink.makesTaskManagers" .) -}}
{{- $config = merge $config (dict "kubernetes.cluster-id" $name "kubernetes.namespace" .Release.Namespace) -}}
{{- end -}}
{{- if include "flink.makesTaskManagers" . -}}
{{- $config = merge $config (include "flink.native.options" . | fromJson) -}}
{{- end -}}
{{- if and (eq .Values.flink.mode "native") (include "flink.secrets.used" .) -}}
{{- /* Where Flink mounts the ConfigMap in the pods that it makes, which have a directory of their own: where the
JobManager has it too. */ -}}
{{- $_ := set $config "kubernetes.flink.conf.dir" "/opt/flink/pod-template" -}}
{{- end -}}
{{- $config = merge (include "flink.autoscaled.options" . | fromJson) (include "flink.tls.options" . | fromJson)
      $config -}}
{{- $config = merge (include "flink.options.given" . | fromJson) $config -}}
{{- if and (eq .Values.flink.type "job") .Values.job.parallelism -}}
{{- $_ := set $config "parallelism.default" (include "flink.text" .Values.job.parallelism) -}}
{{- end -}}
{{- /* One line a key: the start scripts of Flink read the file as well. */ -}}
{{- range $key, $value := $config }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- define "flink.javaOptions" -}}
{{- /* What Flink ships, save for the packages of jdk.compiler: a Java runtime holds no compiler, and each JVM would
warn five times. */ -}}
{{- $words := list -}}
{{- range list "java.base/sun.net.util" "java.rmi/sun.rmi.registry" "java.security.jgss/sun.security.krb5" -}}
{{- $words = append $words (printf "--add-exports=%s=ALL-UNNAMED" .) -}}
{{- end -}}
{{- range list "java.lang" "java.net" "java.io" "java.nio" "sun.nio.ch" "java.lang.reflect" "java.text" "java.time"
      "java.util" "java.util.concurrent" "java.util.concurrent.atomic" "java.util.concurrent.locks" -}}
{{- $words = append $words (printf "--add-opens=java.base/%s=ALL-UNNAMED" .) -}}
{{- end -}}
{{- if include "flink.zookeeper.secret" . -}}
{{- /* Flink has no options for it. Of files in PEM there is no password that others would see. */ -}}
{{- $words = concat $words (list
      "-Dzookeeper.client.secure=true"
      "-Dzookeeper.clientCnxnSocket=org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.ClientCnxnSocketNetty"
      "-Dzookeeper.ssl.keyStore.location=/opt/flink/conf/zookeeper-keystore.pem"
      "-Dzookeeper.ssl.trustStore.location=/opt/flink/conf/zookeeper-truststore.pem") -}}
{{- end -}}
{{- join " " $words -}}
{{- end }}

{{/*
Hash of the configuration that a role sees: (dict "root" $ "role" "taskmanager"). Options of the other role alone, by
their prefix, do not restart its pods; in native mode the JobManager makes the TaskManagers and reads the options of
both.
*/}}
{{- define "flink.configChecksum" -}}
{{- $other := ternary "taskmanager." "jobmanager." (eq .role "jobmanager") -}}
{{- /* A JobManager that runs archives nothing: it learns of the history server when it starts the next time. */}}
{{- $others := "^(historyserver|sql-gateway|jobmanager\\.archive)\\." -}}
{{- /* What the pods mount is read again while they run; what an init container has copied is not. */}}
{{- $logging := omit .root.Values.logging "log4jCli" "loggers" -}}
{{- $live := and (not (include "flink.secrets.used" .root)) (contains "monitorInterval" $logging.log4jConsole) -}}
{{- if and .root.Values.logging.loggers (not $live) -}}
{{- $_ := set $logging "loggers" .root.Values.logging.loggers -}}
{{- end -}}
{{- $seen := dict -}}
{{- range $key, $value := include "flink.configuration" .root | fromYaml -}}
{{- $own := or (not (hasPrefix $other $key)) (eq $.root.Values.flink.mode "native") -}}
{{- if and (eq $key "parallelism.default") (eq $.root.Values.flink.type "job") -}}
{{- $value = include "flink.job.shape" (dict "root" $.root "parallelism" $value) -}}
{{- end -}}
{{- if and $own (not (and (regexMatch $others $key) (has $.role (list "jobmanager" "taskmanager")))) -}}
{{- $_ := set $seen $key $value -}}
{{- end -}}
{{- end -}}
{{- list $seen $logging | toJson | sha256sum -}}
{{- end }}

{{/*
The high-availability.type of a client, which asks the Service instead of what only JobManagers may read; empty:
nothing to set.
*/}}
{{- define "flink.client.highAvailability" -}}
{{- if include "flink.highlyAvailable" . }}NONE{{ end -}}
{{- end }}
