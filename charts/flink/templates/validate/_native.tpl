{{/* What Flink cannot be told where it makes TaskManagers. */}}
{{- define "flink.validate.native" -}}
{{- $mode := .Values.flink.mode -}}
{{- $taskmanager := .Values.taskmanager -}}
{{- if ne (int (include "flink.taskmanager.count" .)) 1 -}}
{{- fail (printf (cat
      "taskmanager.replicas is %v, but flink.mode is %s, where Flink makes as many as jobs need: leave it out, or"
      "limit them with native.maxTaskManagers.") $taskmanager.replicas $mode) -}}
{{- end -}}
{{- if $taskmanager.podDisruptionBudget.enabled -}}
{{- fail (printf (cat
      "taskmanager.podDisruptionBudget.enabled is true, but flink.mode is %s, where Kubernetes does not know how"
      "many TaskManagers there should be: leave it out, or set flink.mode=standalone.") $mode) -}}
{{- end -}}
{{- range $role := ternary (list "jobmanager" "taskmanager") (list "taskmanager") (eq $mode "operator") -}}
{{- $resources := (get $.Values $role).resources -}}
{{- with dig "requests" "memory" "" $resources -}}
{{- $key := printf "%s.resources.requests.memory" $role -}}
{{- $limit := dict "key" (printf "%s.resources.limits.memory" $role) "quantity" $resources.limits.memory -}}
{{- if ne (include "flink.mebibytes" (dict "key" $key "quantity" .)) (include "flink.mebibytes" $limit) -}}
{{- fail (printf (cat
      "%s is %v, but flink.mode is %s, where Flink asks for all of limits.memory"
      "(%v): write that in both, or leave the request out.") $key . $mode $resources.limits.memory) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $job := include "flink.job" . | fromJson -}}
{{- if and (eq .Values.flink.type "job") $job.jar.entryClass (not $job.jar.file) -}}
{{- fail (printf (cat
      "job.jar.entryClass is %s without job.jar.file, but flink.mode is %s, where Flink has to be told the jar: set"
      "job.jar.file as well.") $job.jar.entryClass $mode) -}}
{{- end -}}
{{- end }}
