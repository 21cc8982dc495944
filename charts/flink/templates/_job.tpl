{{/* Whether hooks carry the job's state over helm's verbs. */}}
{{- define "flink.job.carried" -}}
{{- if and .Values.hooks.enabled (eq .Values.flink.type "job") (not .Values.job.bounded) }}true{{ end -}}
{{- end }}

{{/* How an upgrade ends the job: as asked, else with a savepoint where there is a place for one. */}}
{{- define "flink.job.upgradeMode" -}}
{{- $savepoints := include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir") -}}
{{- .Values.job.upgradeMode | default (ternary "savepoint" "stateless" (ne $savepoints "")) -}}
{{- end }}

{{/* Replicas of a role; a suspended job frees its pods: (dict "root" $ "role" .Values.taskmanager). */}}
{{- define "flink.replicas" -}}
{{- if and (include "flink.job.carried" .root) (eq .root.Values.job.state "suspended") }}0{{ else }}{{ .role.replicas }}{{ end -}}
{{- end }}

{{/* Hash of all that a JobManager pod runs: what changes it ends the pod, and so the job. */}}
{{- define "flink.specification" -}}
{{- include "flink.jobmanager.pod" (dict "root" . "specification" "") | sha256sum | trunc 16 -}}
{{- end }}

{{/* The entrypoint's command for a job that hooks carry: job.sh reads the record and adds where the job starts. */}}
{{- define "flink.job.start" -}}
{{- $folder := ternary "" (include "flink.state.onClaim" .root) (eq (include "flink.highlyAvailable" .root) "true") -}}
{{- list "bash" "/opt/flink/scripts/job.sh" .specification (include "flink.highlyAvailable" .root) $folder .root.Values.job.fromSavepoint | toJson -}}
{{- end }}
