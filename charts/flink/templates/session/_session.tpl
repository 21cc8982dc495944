{{/* Whether hooks submit jobs to a session cluster. */}}
{{- define "flink.session.submits" -}}
{{- if and (include "flink.hooks.run" .) (eq .Values.flink.type "session") .Values.session.jobs }}true{{ end -}}
{{- end }}

{{/* The list with the names of files rendered, as JSON. */}}
{{- define "flink.session.jobs" -}}
{{- $jobs := list -}}
{{- range .Values.session.jobs -}}
{{- $jobs = append $jobs (include "flink.job.rendered" (dict "root" $ "job" .) | fromJson) -}}
{{- end -}}
{{- toJson $jobs -}}
{{- end }}

{{/* What a job of the list says of its program: its file, or the `sha256` of a URL: (dict "job" . "key" "file"). */}}
{{- define "flink.session.program" -}}
{{- $key := .key -}}
{{ dig "jar" $key "" .job | default (dig "python" $key "" .job) | default (dig "sql" $key "" .job) }}
{{- end }}

{{/* The list as wanted.py reads it, as JSON. The specification is a hash of all that makes a job what it is. */}}
{{- define "flink.session.entries" -}}
{{- $root := . -}}
{{- $entries := list -}}
{{- $jobs := include "flink.session.jobs" . | fromJsonArray -}}
{{- $parallelism := include "flink.option" (dict "root" $root "key" "parallelism.default") -}}
{{- range ternary $jobs list (eq .Values.flink.type "session") -}}
{{- $file := include "flink.files.path" (include "flink.session.program" (dict "job" . "key" "file")) -}}
{{- $download := dict -}}
{{- if contains "://" $file -}}
{{- $download = dict "url" $file "sha256" (include "flink.session.program" (dict "job" . "key" "sha256")) -}}
{{- $file = printf "/exchange/files/%s/%s" .name ((urlParse $file).path | base) -}}
{{- end -}}
{{- $options := dict "pipeline.name" .name -}}
{{- $parallelism := .parallelism | default $parallelism -}}
{{- with .parallelism }}{{ $_ := set $options "parallelism.default" (include "flink.text" .) }}{{ end -}}
{{- $args := list -}}
{{- $key := printf "session.jobs: args of %s" .name -}}
{{- range .args -}}
{{- $args = append $args (tpl (include "flink.word" (dict "key" $key "value" .)) $root) -}}
{{- end -}}
{{- $program := concat (list $file) $args -}}
{{- with dig "jar" "entryClass" "" . }}{{ $program = concat (list "--class" .) $program }}{{ end -}}
{{- /* After a jar, words belong to the job; after a Python file only after two hyphens. */ -}}
{{- if .python }}{{ $program = concat (list "--python" $file "--") $args }}{{ end -}}
{{- $content := get $root.Values.files (include "flink.session.program" (dict "job" . "key" "file")) -}}
{{- $sql := dig "sql" "file" "" . | empty | not -}}
{{- $scales := include "flink.job.scales" (dict "root" $root "parallelism" $parallelism) -}}
{{- $shape := $options -}}
{{- if $scales }}{{ $shape = merge (dict "parallelism.default" "more") $options }}{{ end -}}
{{- $hash := list .name $file $download $program $shape $sql $content (include "flink.image" $root) -}}
{{- with include "flink.client.highAvailability" $root }}{{ $_ := set $options "high-availability.type" . }}{{ end -}}
{{- $submitted := dict "file" $file "url" ($download.url | default "") "sha256" ($download.sha256 | default "")
      "sql" $sql "argv" $program "options" $options
      "allow_non_restored_state" (.allowNonRestoredState | default false) -}}
{{- $entries = append $entries (dict "name" .name "specification" ($hash | toJson | sha256sum | trunc 16)
      "upgrade_mode" "" "state" "running"
      "parallelism" (int $scales)
      "from_savepoint" (.fromSavepoint | default "") "program" $submitted) -}}
{{- end -}}
{{- toJson $entries -}}
{{- end }}

{{/* Its account: the hook in it needs the rights of the hooks. */}}
{{- define "flink.session.account" -}}
{{ .Values.session.serviceAccountName | default (include "flink.hooks.account" .) }}
{{- end }}

{{/* The pod that submits: Flink's client and, beside it, the hook: (dict "root" $ "event" "after"). */}}
{{- define "flink.session.pod" -}}
{{- $parts := list "identity" "checksum" "config" "scripts" "scratch" "claim" "tls" "secrets" "passwd" "state" "hive"
      "files" "submitter" -}}
{{- include "flink.pod" (dict "root" .root "component" "submitter" "parts" $parts "restartPolicy" "Never"
      "account" (include "flink.session.account" .root) "scripts" (include "flink.hooks.name" .root) "event" .event
      "container" "args: [bash, /opt/flink/scripts/client.sh, /exchange]") -}}
{{- end }}

{{/* That pod as an object, for which the hooks ask the API server before they stop a job. */}}
{{- define "flink.session.object" -}}
{{- $pod := include "flink.session.pod" (dict "root" . "event" "after") | fromYaml -}}
{{- $_ := set $pod.metadata "name" (printf "%s-after-dry-run" (include "flink.fullname" .)) -}}
{{- merge (dict "apiVersion" "v1" "kind" "Pod") $pod | toJson -}}
{{- end }}
