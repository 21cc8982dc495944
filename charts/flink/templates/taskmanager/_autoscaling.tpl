{{/* Whether the release has an autoscaler of its TaskManagers. */}}
{{- define "flink.autoscaled" -}}
{{- if .Values.taskmanager.autoscaling.enabled }}true{{ end -}}
{{- end }}

{{/* Whether that is KEDA, and not a HorizontalPodAutoscaler. */}}
{{- define "flink.autoscaled.byKeda" -}}
{{- if and (include "flink.autoscaled" .) .Values.taskmanager.autoscaling.keda.triggers }}true{{ end -}}
{{- end }}

{{/* How many TaskManagers an operation waits for: 0 for all of its Deployment, which nothing else scales. */}}
{{- define "flink.taskmanager.min" -}}
{{ ternary .Values.taskmanager.autoscaling.minReplicas 0 (include "flink.autoscaled" . | empty | not) | int }}
{{- end }}

{{/* Flink's options for it, as JSON: jobs take the slots that come, and give back those that go. */}}
{{- define "flink.autoscaled.options" -}}
{{- $options := dict -}}
{{- if and (include "flink.autoscaled" .) (eq (include "flink.scheduler" .) "adaptive") -}}
{{- $options = dict "jobmanager.scheduler" "adaptive" -}}
{{- if eq .Values.flink.type "job" -}}
{{- $slots := mul .Values.taskmanager.autoscaling.maxReplicas .Values.taskmanager.slots -}}
{{- $_ := set $options "parallelism.default" (toString $slots) -}}
{{- end -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}
