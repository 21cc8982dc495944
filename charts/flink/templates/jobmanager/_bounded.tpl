{{/* Whether the job ends by itself: JobManager and TaskManagers are then Jobs of Kubernetes, which do too. */}}
{{- define "flink.bounded" -}}
{{- if and (eq .Values.flink.type "job") .Values.job.bounded }}true{{ end -}}
{{- end }}

{{/* The JobManager as kubectl names it. */}}
{{- define "flink.jobmanager.workload" -}}
{{- if include "flink.bounded" . -}}
{{- $template := include "flink.jobmanager.template" . -}}
job/{{ include "flink.bounded.name" (dict "root" . "component" "jobmanager" "specification" $template) }}
{{- else -}}
deployment/{{ include "flink.jobmanager.deployment" . }}
{{- end -}}
{{- end }}

{{/*
A Job's template cannot be changed, so its name tells what it runs: (dict "root" $ "component" "..." "specification"
<hash>).
*/}}
{{- define "flink.bounded.name" -}}
{{- $name := include "flink.shorten" (dict "name" (include "flink.fullname" .root) "limit" 42) -}}
{{ $name }}-{{ .component }}-{{ trunc 8 .specification }}
{{- end }}

{{/*
A component of a bounded job: (dict "root" $ "component" "..." "specification" <hash> "replicas" 1 "backoffLimit" 3
"rules" <YAML of more rules for failed pods> "pod" <YAML of the pod template>). A pod that a node's drain took away is
replaced and does not count.
*/}}
{{- define "flink.bounded.job" -}}
apiVersion: batch/v1
kind: Job
{{ include "flink.metadata" (dict "root" .root "component" .component "name" (include "flink.bounded.name" .)) }}
spec:
  completions: {{ .replicas }}
  parallelism: {{ .replicas }}
  backoffLimit: {{ .backoffLimit }}
  {{- if not (kindIs "invalid" .root.Values.job.ttlSecondsAfterFinished) }}
  ttlSecondsAfterFinished: {{ .root.Values.job.ttlSecondsAfterFinished }}
  {{- end }}
  podFailurePolicy:
    rules:
      - action: Ignore
        onPodConditions: [{type: DisruptionTarget, status: "True"}]
      {{- with .rules }}
      {{- . | nindent 6 }}
      {{- end }}
  template:
    {{- .pod | nindent 4 }}
{{- end }}

{{- define "flink.bounded.jobmanager" -}}
{{- $specification := include "flink.jobmanager.template" . -}}
{{- include "flink.bounded.job" (dict "root" . "component" "jobmanager" "specification" $specification "replicas" 1
      "backoffLimit" .Values.job.backoffLimit "rules" (include "flink.bounded.failed" .)
      "pod" (include "flink.jobmanager.pod" (dict "root" . "specification" $specification "restartPolicy" "Never"))) -}}
{{- end }}

{{/*
Flink has restarted the job as often as it may (restart-strategy) when it exits with 1443, which is 163 to those who
see 8 bits of it.
*/}}
{{- define "flink.bounded.failed" -}}
- action: FailJob
  onExitCodes: {containerName: jobmanager, operator: In, values: [163]}
{{- end }}

{{/* New TaskManagers for each run: those of the last one have ended. */}}
{{- define "flink.bounded.taskmanager" -}}
{{- $pod := include "flink.taskmanager.pod" (dict "root" . "restartPolicy" "Never") -}}
{{- include "flink.bounded.job" (dict "root" . "component" "taskmanager" "backoffLimit" 6
      "replicas" (include "flink.taskmanager.count" .)
      "specification" (list (include "flink.jobmanager.template" .) $pod | toJson | sha256sum) "pod" $pod) -}}
{{- end }}
