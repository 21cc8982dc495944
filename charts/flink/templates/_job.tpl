{{/* Whether hooks carry the job's state over the operations of Helm. */}}
{{- define "flink.job.carried" -}}
{{- if and .Values.hooks.enabled (eq .Values.flink.type "job") (not .Values.job.bounded) }}true{{ end -}}
{{- end }}

{{/* How an upgrade ends the job: as asked, else with a savepoint, or by its newest checkpoint, where there is a directory for one. */}}
{{- define "flink.job.upgradeMode" -}}
{{- if .Values.job.upgradeMode -}}
{{- .Values.job.upgradeMode -}}
{{- else if include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir") -}}
savepoint
{{- else if include "flink.option" (dict "root" . "key" "execution.checkpointing.dir") -}}
last-state
{{- else -}}
stateless
{{- end -}}
{{- end }}

{{/* Replicas of a role; a suspended job frees its pods: (dict "root" $ "role" .Values.taskmanager). */}}
{{- define "flink.replicas" -}}
{{- if and (include "flink.job.carried" .root) (eq .root.Values.job.state "suspended") }}0{{ else }}{{ .role.replicas }}{{ end -}}
{{- end }}

{{/* Hash of the JobManager's pod template: another one replaces the pod. */}}
{{- define "flink.jobmanager.template" -}}
{{- include "flink.jobmanager.pod" (dict "root" . "specification" "") | sha256sum | trunc 16 -}}
{{- end }}

{{/*
Hash of what the JobManager's process sees of that: another one is another job, which ends the one before. Where the pod runs, how its
image is pulled, its probes and its neighbours are none of that.
*/}}
{{- define "flink.specification" -}}
{{- $pod := include "flink.jobmanager.pod" (dict "root" . "specification" "") | fromYaml -}}
{{- $seen := pick $pod.spec "securityContext" "serviceAccountName" "volumes" -}}
{{- $containers := list (omit (first $pod.spec.containers) "startupProbe" "readinessProbe" "livenessProbe" "ports") -}}
{{- range concat $containers ($pod.spec.initContainers | default list) -}}
{{- $_ := set $seen (printf "container %s" .name) (omit . "imagePullPolicy" "terminationMessagePolicy") -}}
{{- end -}}
{{- range $key, $value := $pod.metadata.annotations -}}
{{- if hasPrefix "checksum/" $key }}{{ $_ := set $seen $key $value }}{{ end -}}
{{- end -}}
{{- $seen | toJson | sha256sum | trunc 16 -}}
{{- end }}

{{/* What start-job.sh is told, as YAML: (dict "root" $ "specification" "..."). */}}
{{- define "flink.job.env" -}}
- {name: JOB_SPECIFICATION, value: {{ .specification | quote }}}
- {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
- {name: HIGH_AVAILABILITY, value: {{ include "flink.highlyAvailable" .root | default "false" | quote }}}
- {name: CLAIM_DIRECTORY, value: {{ include "flink.state.onFiles" .root | quote }}}
- {name: RETAINED_CHECKPOINTS, value: {{ include "flink.option" (dict "root" .root "key" "execution.checkpointing.num-retained") | quote }}}
- {name: CLAIM_OWN_CHECKPOINTS, value: {{ include "flink.state.claimsOwn" .root | default "false" | quote }}}
{{- end }}
