{{/* Flink's options of native mode, as JSON. CPU and memory it takes from options, whatever its pod template says. */}}
{{- define "flink.native.options" -}}
{{- $options := dict
      "resourcemanager.taskmanager-timeout" .Values.native.idleTimeout
      "user.artifacts.base-dir" "/tmp/artifacts" -}}
{{- if .Values.state.hdfs.configMap -}}
{{- /* The pod template mounts it; Flink would look for a copy that its client makes. */ -}}
{{- $_ := set $options "kubernetes.decorator.hadoop-conf-mount.enabled" "false" -}}
{{- end -}}
{{- with .Values.native.maxTaskManagers -}}
{{- $_ := set $options "slotmanager.number-of-slots.max" (mul . $.Values.taskmanager.slots | toString) -}}
{{- end -}}
{{- $resources := .Values.taskmanager.resources -}}
{{- $requested := dig "requests" "cpu" "" $resources | default (dig "limits" "cpu" "" $resources) -}}
{{- if not $requested -}}
{{- fail "taskmanager.resources names no CPU, but flink.mode is native, where Flink would ask for one for each slot: set taskmanager.resources.requests.cpu, for example 500m." -}}
{{- end -}}
{{- $cores := include "flink.cores" (dict "key" "taskmanager.resources.requests.cpu" "quantity" $requested) | float64 -}}
{{- $_ := set $options "kubernetes.taskmanager.cpu.amount" (toString $cores) -}}
{{- /* Flink always writes a limit. One that the values do not have is a thousand times the request, more than a node has. */ -}}
{{- $factor := 1000.0 -}}
{{- with dig "limits" "cpu" "" $resources -}}
{{- $factor = divf (include "flink.cores" (dict "key" "taskmanager.resources.limits.cpu" "quantity" .) | float64) $cores -}}
{{- end -}}
{{- $_ := set $options "kubernetes.taskmanager.cpu.limit-factor" (toString $factor) -}}
{{- toJson $options -}}
{{- end }}

{{/* A quantity of CPU ("250m", "2", 1.5) in cores: (dict "key" "..." "quantity" "..."). */}}
{{- define "flink.cores" -}}
{{- $quantity := include "flink.text" .quantity -}}
{{- if not (regexMatch "^([1-9][0-9]*m|[0-9]*[.]?[0-9]*[1-9][0-9]*|[1-9][0-9]*)$" $quantity) -}}
{{- fail (printf "%s is %q, which the chart cannot turn into Flink's number of CPUs in native mode: write cores or thousandths of one, for example 500m." .key $quantity) -}}
{{- end -}}
{{- if hasSuffix "m" $quantity }}{{ divf (trimSuffix "m" $quantity | float64) 1000 }}{{ else }}{{ $quantity }}{{ end -}}
{{- end }}

{{/* The pod of a TaskManager as Flink is given it, from the values of standalone mode's. Its label tells the hooks which ones are of before. */}}
{{- define "flink.native.taskmanager" -}}
{{- $role := .Values.taskmanager -}}
{{- $labels := merge (dict "flink/template" (include "flink.native.checksum" .)) $role.podLabels -}}
apiVersion: v1
kind: Pod
{{ include "flink.native.pod" (dict "root" . "role" (merge (dict "podLabels" $labels) $role)) }}
{{- end }}

{{- define "flink.native.pod" -}}
{{- include "flink.podTemplate" (dict "root" .root "component" "taskmanager" "role" .role "native" true
      "main" (printf "ports:%s" (include "flink.taskmanager.serving" (dict "root" .root "rpc" "taskmanager-rpc")))) -}}
{{- end }}

{{- define "flink.native.checksum" -}}
{{- include "flink.native.pod" (dict "root" . "role" .Values.taskmanager) | sha256sum | trunc 16 -}}
{{- end }}

{{/* The pods that Flink made, for the hooks; empty in standalone mode. */}}
{{- define "flink.native.selector" -}}
{{- if eq .Values.flink.mode "native" -}}
{{- include "flink.selectorLabels" (dict "root" . "component" "taskmanager") | replace ": " "=" | replace "\n" "," -}}
{{- end -}}
{{- end }}

{{/* For job.sh; and under high availability Flink reads the address that it announces from here. */}}
{{- define "flink.native.env" -}}
- name: NATIVE
  value: "true"
- name: _POD_IP_ADDRESS
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}

{{- define "flink.validate.native" -}}
{{- $taskmanager := .Values.taskmanager -}}
{{- if ne (int $taskmanager.replicas) 1 -}}
{{- fail (printf "taskmanager.replicas is %v, but flink.mode is native, where Flink makes as many as jobs need: leave it out, or limit them with native.maxTaskManagers." $taskmanager.replicas) -}}
{{- end -}}
{{- if $taskmanager.podDisruptionBudget.enabled -}}
{{- fail "taskmanager.podDisruptionBudget.enabled is true, but flink.mode is native, where Kubernetes does not know how many TaskManagers there should be: leave it out, or set flink.mode=standalone." -}}
{{- end -}}
{{- $resources := $taskmanager.resources -}}
{{- with dig "requests" "memory" "" $resources -}}
{{- $requested := include "flink.mebibytes" (dict "key" "taskmanager.resources.requests.memory" "quantity" .) -}}
{{- if ne $requested (include "flink.mebibytes" (dict "key" "taskmanager.resources.limits.memory" "quantity" $resources.limits.memory)) -}}
{{- fail (printf "taskmanager.resources.requests.memory is %v, but flink.mode is native, where Flink asks for all of limits.memory (%v): write that in both, or leave the request out." . $resources.limits.memory) -}}
{{- end -}}
{{- end -}}
{{- $job := .Values.job -}}
{{- if and (eq .Values.flink.type "job") $job.jar.entryClass (not $job.jar.file) -}}
{{- fail (printf "job.jar.entryClass is %s without job.jar.file, but flink.mode is native, where Flink has to be told the jar: set job.jar.file as well." $job.jar.entryClass) -}}
{{- end -}}
{{- end }}
