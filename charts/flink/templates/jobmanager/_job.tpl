{{/* Whether hooks carry the state of jobs over the operations of Helm. */}}
{{- define "flink.hooks.carry" -}}
{{- if or (include "flink.job.carried" .) (include "flink.session.submits" .) }}true{{ end -}}
{{- end }}

{{/* The same of the job of a job release. */}}
{{- define "flink.job.carried" -}}
{{- if and (include "flink.hooks.run" .) (eq .Values.flink.type "job") (not .Values.job.bounded) }}true{{ end -}}
{{- end }}

{{/*
How an upgrade ends the job: as asked, else with a savepoint, or by its newest checkpoint, where there is a directory
for one.
*/}}
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

{{/*
The parallelism to which a job is changed while it runs; empty where another one is another job: (dict "root" $
"parallelism" <of the values>). From 1, and to it, the job is replaced: operators that the program itself keeps at 1
cannot be told from the others then.
*/}}
{{- define "flink.job.scales" -}}
{{- if and (include "flink.hooks.carry" .root) (eq (include "flink.scheduler" .root) "adaptive")
      (gt (int .parallelism) 1) -}}
{{- $most := int .parallelism -}}
{{- /* What Flink may not make it cannot have. */ -}}
{{- if and (eq .root.Values.flink.mode "native") .root.Values.native.maxTaskManagers -}}
{{- $most = mul .root.Values.native.maxTaskManagers .root.Values.taskmanager.slots | min $most -}}
{{- end -}}
{{- $most -}}
{{- end -}}
{{- end }}

{{/* That of the job of a job release. */}}
{{- define "flink.job.parallelism" -}}
{{- if eq .Values.flink.type "job" -}}
{{- include "flink.job.scales" (dict "root" .
      "parallelism" (include "flink.option" (dict "root" . "key" "parallelism.default"))) -}}
{{- end -}}
{{- end }}

{{/* What a parallelism is to the specification of a job. */}}
{{- define "flink.job.shape" -}}
{{ ternary "more" (include "flink.text" .parallelism) (include "flink.job.scales" . | empty | not) }}
{{- end }}

{{/*
Replicas of a role; a suspended job frees its pods. None where something else scales them: (dict "root" $ "role" <its
values>).
*/}}
{{- define "flink.replicas" -}}
{{- if and (include "flink.job.carried" .root) (eq .root.Values.job.state "suspended") -}}
replicas: 0
{{- else if not (kindIs "invalid" .role.replicas) -}}
replicas: {{ .role.replicas }}
{{- end -}}
{{- end }}

{{/* Hash of the JobManager's pod template: another one replaces the pod. */}}
{{- define "flink.jobmanager.template" -}}
{{- include "flink.jobmanager.pod" (dict "root" . "specification" "") | sha256sum | trunc 16 -}}
{{- end }}

{{/*
Hash of what the JobManager's process sees of that: another one is another job, which ends the one before. Where the
pod runs, how its image is pulled, its probes and its neighbours are none of that.
*/}}
{{- define "flink.specification" -}}
{{- $pod := include "flink.jobmanager.pod" (dict "root" . "specification" "") | fromYaml -}}
{{- $seen := pick $pod.spec "securityContext" "serviceAccountName" "volumes" -}}
{{- $containers := list (omit (first $pod.spec.containers) "startupProbe" "readinessProbe" "livenessProbe"
      "lifecycle" "ports") -}}
{{- range concat $containers ($pod.spec.initContainers | default list) -}}
{{- if ne (get . "restartPolicy") "Always" -}}
{{- $_ := set $seen (printf "container %s" .name) (omit . "imagePullPolicy" "terminationMessagePolicy") -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $pod.metadata.annotations -}}
{{- if hasPrefix "checksum/" $key }}{{ $_ := set $seen $key $value }}{{ end -}}
{{- end -}}
{{- $seen | toJson | sha256sum | trunc 16 -}}
{{- end }}
