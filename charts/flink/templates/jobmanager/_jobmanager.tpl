{{/* The pod, which is told the hash of itself: (dict "root" $ "specification" "..." "restartPolicy" <optional>). */}}
{{- define "flink.jobmanager.pod" -}}
{{- $parts := list "identity" "checksum" "config" "scripts" "scratch" "claim" "tls" "secrets" "passwd" "state" "metrics"
      "native" "hive" "download" "record" -}}
{{- if not (include "flink.bounded" .root) }}{{ $parts = append $parts "specification" }}{{ end -}}
{{- if eq .root.Values.flink.type "job" }}{{ $parts = append $parts "files" }}{{ end -}}
{{- include "flink.pod" (dict "root" .root "component" "jobmanager" "parts" $parts "specification" .specification
      "restartPolicy" .restartPolicy "container" (include "flink.jobmanager.container" .)) -}}
{{- end }}

{{- define "flink.jobmanager.container" -}}
{{- $ports := include "flink.ports" . | fromYaml -}}
args:
  {{- include "flink.jobmanager.args" . | nindent 2 }}
ports:
  - {name: rest, containerPort: {{ .root.Values.rest.port }}}
  - {name: rpc, containerPort: {{ $ports.jobmanager }}}
  - {name: blob, containerPort: {{ $ports.blob }}}
  - {name: metrics-query, containerPort: {{ $ports.query }}}
{{ include "flink.jobmanager.serving" . }}
{{- end }}

{{/* What a JobManager has, whoever starts it: (dict "root" $). */}}
{{- define "flink.jobmanager.serving" -}}
{{- $probe := dict "root" .root "name" "rest" "port" .root.Values.rest.port -}}
# The hooks tell from it why a JobManager ended, without the right to read logs.
terminationMessagePolicy: FallbackToLogsOnError
startupProbe:
  {{- include "flink.tls.probe" (set $probe "path" "/config") | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
# /overview is answered by the leader; while there is none, it fails.
readinessProbe:
  {{- include "flink.tls.probe" (set $probe "path" "/overview") | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  {{- include "flink.tls.probe" (set $probe "path" "/config") | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}

{{/*
Arguments of the image's entrypoint: a session cluster, or the job of the image; what differs by pod follows as -D:
(dict "root" $).
*/}}
{{- define "flink.jobmanager.args" -}}
{{- $root := .root -}}
{{- $job := include "flink.job" $root | fromJson -}}
{{- $native := eq $root.Values.flink.mode "native" -}}
{{- $args := ternary (list "kubernetes-jobmanager.sh" "kubernetes-session") (list "jobmanager") $native -}}
{{- if eq $root.Values.flink.type "job" -}}
{{- if include "flink.job.carried" $root -}}
{{- $args = list "bash" "/opt/flink/scripts/start-job.sh" -}}
{{- else -}}
{{- $args = ternary (list "kubernetes-jobmanager.sh" "kubernetes-application") (list "standalone-job") $native -}}
{{- if $job.fromSavepoint -}}
{{- $args = concat $args (ternary (list "-D" (printf "execution.state-recovery.path=%s" $job.fromSavepoint))
      (list "--fromSavepoint" $job.fromSavepoint) $native) -}}
{{- end -}}
{{- end -}}
{{- if $job.allowNonRestoredState -}}
{{- $args = concat $args (ternary (list "-D" "execution.state-recovery.ignore-unclaimed-state=true")
      (list "--allowNonRestoredState") $native) -}}
{{- end -}}
{{- end -}}
{{- if include "flink.highlyAvailable" $root -}}
{{- $args = concat $args (list "-D" "jobmanager.rpc.address=$(POD_IP)" "-D" "rest.address=$(POD_IP)") -}}
{{- end -}}
{{- if eq $root.Values.flink.type "job" -}}
{{- $class := $job.jar.entryClass -}}
{{- $program := list -}}
{{- if or $job.jar.file $class -}}
{{- with $job.jar.file -}}
{{- $jar := printf "local://%s" (include "flink.job.path" .) -}}
{{- /* In one word: the option takes as many jars as follow, and would take the job's arguments. */ -}}
{{- $args = concat $args (ternary (list "-D" (printf "pipeline.jars=%s" $jar)) (list (printf "--jars=%s" $jar))
      $native) -}}
{{- end -}}
{{- else if $job.sql.file -}}
{{- $class = "org.apache.flink.table.runtime.application.SqlDriver" -}}
{{- $program = list "--scriptUri" (printf "file://%s" (include "flink.job.path" $job.sql.file)) -}}
{{- else -}}
{{- $class = "org.apache.flink.client.python.PythonDriver" -}}
{{- $program = list "-py" (include "flink.job.path" $job.python.file) -}}
{{- end -}}
{{- range $job.args -}}
{{- $program = append $program (tpl (include "flink.word" (dict "key" "job.args" "value" .)) $root) -}}
{{- end -}}
{{- if $native -}}
{{- with $class }}{{ $args = concat $args (list "-D" (printf "$internal.application.main=%s" .)) }}{{ end -}}
{{- with $program -}}
{{- $args = concat $args (list "-D" (printf "$internal.application.program-args=%s" (toJson .))) -}}
{{- end -}}
{{- else -}}
{{- with $class }}{{ $args = concat $args (list "--job-classname" .) }}{{ end -}}
{{- /* Flink 1.20 would take words such as --host for its own, unless it is told where its options end. */ -}}
{{- with $program }}{{ $args = concat $args (list "--") . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toYaml $args -}}
{{- end }}
