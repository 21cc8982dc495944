{{/* What Flink cannot be told in native mode. */}}
{{- define "flink.validate.native" -}}
{{- $taskmanager := .Values.taskmanager -}}
{{- if ne (int (include "flink.taskmanager.count" .)) 1 -}}
{{- fail (printf (cat
      "taskmanager.replicas is %v, but flink.mode is native, where Flink makes as many as jobs need: leave it out, or"
      "limit them with native.maxTaskManagers.") $taskmanager.replicas) -}}
{{- end -}}
{{- if $taskmanager.podDisruptionBudget.enabled -}}
{{- fail (cat
      "taskmanager.podDisruptionBudget.enabled is true, but flink.mode is native, where Kubernetes does not know how"
      "many TaskManagers there should be: leave it out, or set flink.mode=standalone.") -}}
{{- end -}}
{{- $resources := $taskmanager.resources -}}
{{- with dig "requests" "memory" "" $resources -}}
{{- $requested := include "flink.mebibytes" (dict "key" "taskmanager.resources.requests.memory" "quantity" .) -}}
{{- if ne $requested (include "flink.mebibytes"
      (dict "key" "taskmanager.resources.limits.memory" "quantity" $resources.limits.memory)) -}}
{{- fail (printf (cat
      "taskmanager.resources.requests.memory is %v, but flink.mode is native, where Flink asks for all of limits.memory"
      "(%v): write that in both, or leave the request out.") . $resources.limits.memory) -}}
{{- end -}}
{{- end -}}
{{- $job := include "flink.job" . | fromJson -}}
{{- if and (eq .Values.flink.type "job") $job.jar.entryClass (not $job.jar.file) -}}
{{- fail (printf (cat
      "job.jar.entryClass is %s without job.jar.file, but flink.mode is native, where Flink has to be told the jar: set"
      "job.jar.file as well.") $job.jar.entryClass) -}}
{{- end -}}
{{- end }}
