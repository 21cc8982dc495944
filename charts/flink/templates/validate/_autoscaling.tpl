{{/* Where TaskManagers can follow the load, and what jobs make of it. */}}
{{- define "flink.validate.autoscaling" -}}
{{- $autoscaling := .Values.taskmanager.autoscaling -}}
{{- if include "flink.autoscaled" . -}}
{{- $enabled := "taskmanager.autoscaling.enabled is true, but" -}}
{{- if eq .Values.flink.mode "native" -}}
{{- fail (cat $enabled "flink.mode is native, where Flink makes TaskManagers as jobs ask for them: leave it out, and"
      "change job.parallelism, or set flink.mode=standalone.") -}}
{{- end -}}
{{- if include "flink.bounded" . -}}
{{- fail (cat $enabled "job.bounded is true, whose TaskManagers are a Job of Kubernetes with as many pods as it begins"
      "with: leave one of them out.") -}}
{{- end -}}
{{- $scheduler := get (include "flink.options.given" . | fromJson) "jobmanager.scheduler" | default "adaptive" -}}
{{- if and (ne (lower $scheduler) "adaptive") (ne (include "flink.scheduler" .) "reactive") -}}
{{- fail (printf (cat $enabled "flink.config sets jobmanager.scheduler to %s, which does not take the slots that come:"
      "leave the option out, and the chart sets adaptive.") $scheduler) -}}
{{- end -}}
{{- if gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas) -}}
{{- fail (printf "taskmanager.autoscaling.minReplicas is %d, more than maxReplicas (%d): raise that, or lower this."
      (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas)) -}}
{{- end -}}
{{- if include "flink.autoscaled.byKeda" . -}}
{{- if $autoscaling.metrics -}}
{{- fail (cat "taskmanager.autoscaling.metrics is set beside keda.triggers, and two autoscalers would contend for the"
      "same Deployment: leave one of them out; KEDA has triggers for CPU and memory too.") -}}
{{- end -}}
{{- include "flink.validate.api" (dict "root" . "on" true "key" "taskmanager.autoscaling.keda.triggers"
      "api" "keda.sh/v1alpha1/ScaledObject"
      "remedy" "install KEDA first, or leave the triggers out for a HorizontalPodAutoscaler") -}}
{{- else if and (not $autoscaling.metrics) (not (dig "requests" "cpu" "" .Values.taskmanager.resources)) -}}
{{- fail (cat "taskmanager.autoscaling.enabled is true, but taskmanager.resources names no requests.cpu, of which a"
      "HorizontalPodAutoscaler takes 80 %: set it to what a TaskManager uses under its load, or set"
      "taskmanager.autoscaling.metrics.") -}}
{{- end -}}
{{- end -}}
{{- end }}
