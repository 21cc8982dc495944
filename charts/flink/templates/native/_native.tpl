{{/* Flink's options of native mode, as JSON. CPU and memory it takes from options, whatever its pod template says. */}}
{{- define "flink.native.options" -}}
{{- $options := dict
      "resourcemanager.taskmanager-timeout" (include "flink.duration" .Values.native.idleTimeout)
      "user.artifacts.base-dir" "/tmp/artifacts" -}}
{{- /* The pod template mounts these; Flink would look for copies that its client makes. */ -}}
{{- if .Values.state.hdfs.configMap -}}
{{- $_ := set $options "kubernetes.decorator.hadoop-conf-mount.enabled" "false" -}}
{{- end -}}
{{- if or .Values.kerberos.principal (eq .Values.flink.mode "native") -}}
{{- $_ := set $options "kubernetes.decorator.kerberos-mount.enabled" "false" -}}
{{- end -}}
{{- with .Values.native.maxTaskManagers -}}
{{- $_ := set $options "slotmanager.number-of-slots.max" (mul . $.Values.taskmanager.slots | toString) -}}
{{- end -}}
{{- /* Flink writes it over what its pod template says. */ -}}
{{- if (.Values.taskmanager.podSpec).hostNetwork -}}
{{- $_ := set $options "kubernetes.hostnetwork.enabled" "true" -}}
{{- end -}}
{{- merge $options (include "flink.native.cpu" (dict "root" . "role" "taskmanager") | fromJson) | toJson -}}
{{- end }}

{{/* Flink's options for the CPU of a role that it asks for itself, as JSON: (dict "root" $ "role" "taskmanager"). */}}
{{- define "flink.native.cpu" -}}
{{- $mode := .root.Values.flink.mode -}}
{{- $resources := (get .root.Values .role).resources -}}
{{- $requested := dig "requests" "cpu" "" $resources | default (dig "limits" "cpu" "" $resources) -}}
{{- if not $requested -}}
{{- fail (printf (cat
      "%s.resources names no CPU, but flink.mode is %s, where Flink would ask for one%s: set"
      "%s.resources.requests.cpu, for example 500m.") .role $mode
      (ternary " for each slot" "" (eq .role "taskmanager")) .role) -}}
{{- end -}}
{{- $request := dict "mode" $mode "key" (printf "%s.resources.requests.cpu" .role) "quantity" $requested -}}
{{- $cores := include "flink.native.cores" $request | float64 -}}
{{- /* Flink always writes a limit. One that the values do not have is a thousand times the request, more than a node
has. */ -}}
{{- $factor := 1000.0 -}}
{{- with dig "limits" "cpu" "" $resources -}}
{{- $limit := dict "mode" $mode "key" (printf "%s.resources.limits.cpu" $.role) "quantity" . -}}
{{- $factor = divf (include "flink.native.cores" $limit | float64) $cores -}}
{{- end -}}
{{- dict (printf "kubernetes.%s.cpu.amount" .role) (toString $cores)
      (printf "kubernetes.%s.cpu.limit-factor" .role) (toString $factor) | toJson -}}
{{- end }}

{{/* A quantity of CPU in cores, as Flink is told them: (dict "mode" "native" "key" "..." "quantity" "..."). */}}
{{- define "flink.native.cores" -}}
{{- $cores := include "flink.cores" .quantity -}}
{{- if not (float64 $cores) -}}
{{- fail (printf (cat
      "%s is %q, which the chart cannot turn into Flink's number of CPUs in %s mode: write cores or thousandths of"
      "one, for example 500m.") .key (include "flink.text" .quantity) .mode) -}}
{{- end -}}
{{- $cores -}}
{{- end }}

{{/* The pod of a TaskManager as Flink is given it, from the values of standalone mode's. */}}
{{- define "flink.native.taskmanager" -}}
apiVersion: v1
kind: Pod
{{ include "flink.native.pod" (dict "root" . "parts" (list "template")) }}
{{- end }}

{{/* A pod as Flink would ask for it, of which the API server can be asked before: Flink alone sees its answer. */}}
{{- define "flink.native.object" -}}
{{- $pod := include "flink.native.taskmanager" . | fromYaml -}}
{{- $options := include "flink.configuration" . | fromYaml -}}
{{- $factor := get $options "kubernetes.taskmanager.cpu.limit-factor" | float64 -}}
{{- $cpu := mulf (get $options "kubernetes.taskmanager.cpu.amount" | float64) $factor -}}
{{- range $container := $pod.spec.containers -}}
{{- if eq $container.name "flink-main-container" -}}
{{- $_ := set $container.resources.limits "cpu" (printf "%.3f" $cpu) -}}
{{- end -}}
{{- end -}}
{{- $_ := set $pod.metadata "name" (printf "%s-taskmanager-dry-run" (include "flink.fullname" .)) -}}
{{- toJson $pod -}}
{{- end }}

{{/* Flink names the container, starts it, and mounts its options: (dict "root" $ "parts" <more parts>). */}}
{{- define "flink.native.pod" -}}
{{- $parts := concat (list "identity" "checksum" "scripts" "scratch" "claim" "tls" "secrets" "passwd" "state"
      "metrics") .parts -}}
{{- $serving := include "flink.taskmanager.serving" (dict "root" .root "rpc" "taskmanager-rpc") -}}
{{- include "flink.pod" (dict "root" .root "component" "taskmanager" "name" "flink-main-container" "parts" $parts
      "container" (printf "ports:%s" $serving)) -}}
{{- end }}

{{- define "flink.native.checksum" -}}
{{- include "flink.native.pod" (dict "root" . "parts" list) | sha256sum | trunc 16 -}}
{{- end }}

{{/* The pods that Flink made, for the hooks; empty in standalone mode. */}}
{{- define "flink.native.selector" -}}
{{- if eq .Values.flink.mode "native" -}}
{{- include "flink.selector" (dict "root" . "component" "taskmanager") -}}
{{- end -}}
{{- end }}
