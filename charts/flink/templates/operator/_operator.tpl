{{/*
Flink's version as the operator writes it. One that is older than the Flink of the image is told the newest that it
knows.
*/}}
{{- define "flink.operator.version" -}}
{{- $version := regexFind "^[0-9]+\\.[0-9]+" (include "flink.version" .) | replace "." "_" -}}
{{ .Values.operator.flinkVersion | default (printf "v%s" $version) }}
{{- end }}

{{/*
The options of the cluster, as YAML: those of the other modes without what the operator or its client of Flink sets, and
with what the operator reads.
*/}}
{{- define "flink.operator.configuration" -}}
{{- $options := include "flink.configuration" . | fromYaml -}}
{{- $config := dict -}}
{{- range $key, $value := omit $options "jobmanager.rpc.address" "rest.address"
      "kubernetes.cluster-id" "kubernetes.namespace" "high-availability.cluster-id"
      "jobmanager.memory.process.size" "taskmanager.memory.process.size" "kubernetes.taskmanager.cpu.amount"
      "execution.shutdown-on-application-finish" "job-result-store.delete-on-commit" -}}
{{- /* The history server has a ConfigMap of its own: another option of it is no other job. */ -}}
{{- if not (hasPrefix "historyserver." $key) }}{{ $_ := set $config $key (toString $value) }}{{ end -}}
{{- end -}}
{{- if eq .Values.flink.type "job" }}{{ $config = omit $config "parallelism.default" }}{{ end -}}
{{- $cpu := include "flink.native.cpu" (dict "root" . "role" "jobmanager") | fromJson -}}
{{- $own := include "flink.operator.options" . | fromJson -}}
{{- merge $config $own (omit $cpu "kubernetes.jobmanager.cpu.amount") | toYaml -}}
{{- end }}

{{/* What the operator itself reads, and its client of Flink, as JSON. */}}
{{- define "flink.operator.options" -}}
{{- $values := .Values -}}
{{- $options := dict
      "kubernetes.rest-service.exposed.type" (ternary "ClusterIP" $values.rest.service.type
        (eq (include "flink.uiProxy" .) "true"))
      "kubernetes.operator.savepoint.format.type" (include "flink.state.savepointFormat" .)
      "kubernetes.operator.savepoint.history.max.count" (include "flink.text" $values.savepoints.keep)
      "kubernetes.operator.savepoint.history.max.age" "36500 d"
      "kubernetes.operator.savepoint.dispose-on-delete" "true" -}}
{{- if not (include "flink.uiProxy" .) -}}
{{- $annotations := list -}}
{{- range $name, $text := include "flink.texts" (dict "key" "rest.service.annotations"
      "texts" $values.rest.service.annotations) | fromYaml -}}
{{- /* As Flink reads a map: what holds a colon or a comma in quotes, and a quote within these twice. */ -}}
{{- $annotation := printf "%s:\"%s\"" $name (replace "\"" "\"\"" $text) -}}
{{- $annotations = append $annotations (printf "'%s'" (replace "'" "''" $annotation)) -}}
{{- end -}}
{{- with $annotations }}{{ $_ := set $options "kubernetes.rest-service.annotations" (join "," .) }}{{ end -}}
{{- end -}}
{{- with include "flink.operator.schedule" . -}}
{{- $_ := set $options "kubernetes.operator.periodic.savepoint.interval" . -}}
{{- end -}}
{{- $account := $values.taskmanager.serviceAccountName | default (include "flink.serviceAccount.name" .) -}}
{{- if ne $account (include "flink.jobmanager.account" .) -}}
{{- $_ := set $options "kubernetes.taskmanager.service-account" $account -}}
{{- end -}}
{{- /* Operators that are built with Flink 1.x look for the directories by the names of that time. */ -}}
{{- if hasPrefix "1." (include "flink.version" .) -}}
{{- range $old, $key := dict "state.checkpoints.dir" "execution.checkpointing.dir"
      "state.savepoints.dir" "execution.checkpointing.savepoint-dir" -}}
{{- with include "flink.option" (dict "root" $ "key" $key) }}{{ $_ := set $options $old . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/*
savepoints.schedule in Quartz's words, which the operator reads: with seconds, days of a week by their names, and a
question mark for one of the two days. Empty where there is none, or it cannot be said so.
*/}}
{{- define "flink.operator.schedule" -}}
{{- $known := dict "@hourly" "0 * * * *" "@daily" "0 0 * * *" "@midnight" "0 0 * * *" "@weekly" "0 0 * * 0"
      "@monthly" "0 0 1 * *" "@yearly" "0 0 1 1 *" "@annually" "0 0 1 1 *" -}}
{{- $schedule := .Values.savepoints.schedule | trim -}}
{{- $fields := regexSplit "\\s+" (get $known $schedule | default $schedule) -1 -}}
{{- if eq (len $fields) 5 -}}
{{- $day := index $fields 2 -}}
{{- $weekday := index $fields 4 -}}
{{- $every := list "*" "?" -}}
{{- $time := printf "0 %s %s" (index $fields 0) (index $fields 1) -}}
{{- if has $weekday $every -}}
{{- printf "%s %s %s ?" $time (ternary "*" $day (has $day $every)) (index $fields 3) -}}
{{- else if and (has $day $every) (not (contains "/" $weekday)) -}}
{{- range $number, $name := list "SUN" "MON" "TUE" "WED" "THU" "FRI" "SAT" "SUN" -}}
{{- $weekday = replace (toString $number) $name $weekday -}}
{{- end -}}
{{- printf "%s ? %s %s" $time (index $fields 3) (upper $weekday) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* CPU and memory that Flink asks for, as YAML: (dict "root" $ "role" "jobmanager"). */}}
{{- define "flink.operator.resource" -}}
{{- $cpu := include "flink.native.cpu" . | fromJson -}}
cpu: {{ get $cpu (printf "kubernetes.%s.cpu.amount" .role) }}
memory: {{ include "flink.option" (dict "root" .root "key" (printf "%s.memory.process.size" .role)) }}
{{- end }}

{{/*
The pod as Flink is given it; it names the container, starts it, and mounts its options: (dict "root" $ "component"
"..." "parts" <more parts> "container" <YAML>).
*/}}
{{- define "flink.operator.pod" -}}
{{- $all := list "identity" "scripts" "scratch" "claim" "passwd" "state" "metrics" -}}
{{- $parts := concat $all (.parts | default list) -}}
{{- include "flink.pod" (merge (dict "name" "flink-main-container" "parts" $parts) .) -}}
{{- end }}

{{- define "flink.operator.jobmanager" -}}
{{- $ports := include "flink.ports" . | fromYaml -}}
{{- $own := dict "ports" (list (dict "name" "metrics-query" "containerPort" $ports.query)) -}}
{{- $container := merge $own (include "flink.jobmanager.serving" (dict "root" .) | fromYaml) -}}
{{- $parts := list "hive" "download" -}}
{{- if eq .Values.flink.type "job" }}{{ $parts = append $parts "files" }}{{ end -}}
{{- include "flink.operator.pod" (dict "root" . "component" "jobmanager" "parts" $parts
      "container" (toYaml $container)) -}}
{{- end }}

{{- define "flink.operator.taskmanager" -}}
{{- $serving := include "flink.taskmanager.serving" (dict "root" . "rpc" "taskmanager-rpc") -}}
{{- include "flink.operator.pod" (dict "root" . "component" "taskmanager" "container" (printf "ports:%s" $serving)) -}}
{{- end }}

{{/* The job of a FlinkDeployment, as YAML. */}}
{{- define "flink.operator.job" -}}
{{- $values := .Values.job -}}
{{- $job := include "flink.job" . | fromJson -}}
{{- $first := list -}}
{{- $spec := dict "state" $values.state "upgradeMode" (include "flink.job.upgradeMode" .)
      "parallelism" (include "flink.option" (dict "root" . "key" "parallelism.default") | int) -}}
{{- if eq (include "flink.job.kind" .) "jar" -}}
{{- $_ := set $spec "jarURI" (printf "local://%s" (include "flink.job.path" $job.jar.file)) -}}
{{- with $job.jar.entryClass }}{{ $_ := set $spec "entryClass" . }}{{ end -}}
{{- else -}}
{{- $_ := set $spec "entryClass" "org.apache.flink.client.python.PythonDriver" -}}
{{- $first = list "-py" (include "flink.job.path" $job.python.file) -}}
{{- end -}}
{{- include "flink.operator.program" (dict "root" . "spec" $spec "first" $first "key" "job.args" "job" $job) -}}
{{- end }}

{{/*
What jobs of both kinds say besides: (dict "root" $ "spec" <a map> "first" <arguments before the job's own> "key" <the
value that holds these> "job" <of the values>).
*/}}
{{- define "flink.operator.program" -}}
{{- $spec := .spec -}}
{{- $args := .first -}}
{{- range .job.args -}}
{{- $args = append $args (tpl (include "flink.word" (dict "key" $.key "value" .)) $.root) -}}
{{- end -}}
{{- with $args }}{{ $_ := set $spec "args" . }}{{ end -}}
{{- with .job.fromSavepoint }}{{ $_ := set $spec "initialSavepointPath" . }}{{ end -}}
{{- if .job.allowNonRestoredState }}{{ $_ := set $spec "allowNonRestoredState" true }}{{ end -}}
{{- toYaml $spec -}}
{{- end }}

{{/* The name of a FlinkSessionJob: (dict "root" $ "job" <of session.jobs>). */}}
{{- define "flink.operator.sessionJob.name" -}}
{{- $name := printf "%s-%s" (include "flink.fullname" .root) .job.name -}}
{{ include "flink.shorten" (dict "name" $name "limit" 63) }}
{{- end }}

{{/* The job of a FlinkSessionJob, as YAML: the same. */}}
{{- define "flink.operator.sessionJob" -}}
{{- $root := .root -}}
{{- $job := .job -}}
{{- $parallelism := $job.parallelism | default (include "flink.option"
      (dict "root" $root "key" "parallelism.default")) -}}
{{- $spec := dict "state" "running" "upgradeMode" (include "flink.job.upgradeMode" $root)
      "parallelism" (int $parallelism) "jarURI" $job.jar.file -}}
{{- with $job.jar.entryClass }}{{ $_ := set $spec "entryClass" . }}{{ end -}}
{{- include "flink.operator.program" (dict "root" $root "spec" $spec "first" list
      "key" (printf "session.jobs: args of %s" $job.name) "job" $job) -}}
{{- end }}
