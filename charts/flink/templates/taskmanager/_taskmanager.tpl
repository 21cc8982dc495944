{{/* The pod in standalone mode: (dict "root" $ "restartPolicy" <optional>). */}}
{{- define "flink.taskmanager.pod" -}}
{{- $parts := list "identity" "checksum" "config" "scripts" "scratch" "claim" "tls" "secrets" "passwd" "state" "metrics"
      "together" -}}
{{- include "flink.pod" (dict "root" .root "component" "taskmanager" "parts" $parts "restartPolicy" .restartPolicy
      "container" (include "flink.taskmanager.container" .root)) -}}
{{- end }}

{{- define "flink.taskmanager.container" -}}
{{- $ports := include "flink.ports" . | fromYaml -}}
# The others reach a TaskManager by its pod's address; its id is its pod's name, so that pod, log line and UI speak of
# the same.
args:
  {{- $bounded := list "bash" "/opt/flink/scripts/bounded.sh" (include "flink.jobmanager.name" .)
        (toString $ports.jobmanager) }}
  {{- range ternary $bounded (list "taskmanager") (eq (include "flink.bounded" .) "true") }}
  - {{ . | quote }}
  {{- end }}
  - -D
  - taskmanager.host=$(POD_IP)
  - -D
  - taskmanager.resource-id=$(POD_NAME)
{{- if include "flink.autoscaled" . }}
# Jobs resume from it on the TaskManagers that are left, and read nothing twice.
lifecycle:
  preStop:
    exec:
      command:
        - bash
        - /opt/flink/scripts/rest.sh
        - checkpoint
        - {{ include "flink.rest.name" . }}
        - {{ include "flink.text" .Values.rest.port | quote }}
{{- end }}
ports:
  - {name: rpc, containerPort: {{ $ports.taskmanager }}}
  {{- include "flink.taskmanager.serving" (dict "root" . "rpc" "rpc" "waits" (include "flink.bounded" .)) }}
{{- end }}

{{/*
What a TaskManager has in both modes: (dict "root" $ "rpc" <name of the port of its RPC> "waits" <whether it may wait
for the JobManager before it begins>).
*/}}
{{- define "flink.taskmanager.serving" }}
{{- $ports := include "flink.ports" . | fromYaml }}
  - {name: data, containerPort: {{ $ports.data }}}
  - {name: metrics-query, containerPort: {{ $ports.query }}}
{{- if not .waits }}
startupProbe:
  tcpSocket: {port: {{ .rpc }}}
  periodSeconds: 2
livenessProbe:
  tcpSocket: {port: {{ .rpc }}}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}
# A TaskManager is ready when the JobManager lists it, and stays so for the 5 minutes in which Flink lets it look for
# the next one (taskmanager.registration.timeout): Helm 4 fails an operation that ends when a pod ceases to be ready.
readinessProbe:
  exec:
    command:
      - bash
      - /opt/flink/scripts/rest.sh
      - registered
      - {{ include "flink.rest.name" .root }}
      - {{ include "flink.text" .root.Values.rest.port | quote }}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 60
{{- end }}

{{/* How many there are at first: where something else scales them, and none of the values says it, one. */}}
{{- define "flink.taskmanager.count" -}}
{{- $replicas := .Values.taskmanager.replicas -}}
{{- if kindIs "invalid" $replicas }}1{{ else }}{{ include "flink.text" $replicas }}{{ end -}}
{{- end }}

{{/* Whether something else scales them. */}}
{{- define "flink.taskmanager.scaled" -}}
{{- if or (include "flink.autoscaled" .) (kindIs "invalid" .Values.taskmanager.replicas) }}true{{ end -}}
{{- end }}
