{{/*
A Deployment of one pod beside JobManager and TaskManagers, and its Service: (dict "root" $ "component" "sql-gateway"
"main" <arguments, as YAML> "port" 8083 "probe" <a path that it answers> "ports" <more of them by name>).
*/}}
{{- define "flink.component" -}}
{{- $name := printf "%s-%s" (include "flink.fullname" .root) .component -}}
{{- $parts := list "identity" "checksum" "config" "scripts" "scratch" "claim" "tls" "secrets" "passwd" "state"
      "hive" "heap" -}}
apiVersion: apps/v1
kind: Deployment
{{ include "flink.metadata" (dict "root" .root "component" .component "name" $name) }}
spec:
  replicas: 1
  strategy: {type: Recreate}
  selector:
    matchLabels:
      {{- include "flink.selectorLabels" . | nindent 6 }}
  template:
    {{- include "flink.pod" (dict "root" .root "component" .component "parts" $parts
          "container" (include "flink.component.container" .)) | nindent 4 }}
---
apiVersion: v1
kind: Service
{{ include "flink.metadata" (dict "root" .root "component" .component "name" $name) }}
spec:
  selector:
    {{- include "flink.selectorLabels" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
      {{- if .root.Values.tls.rest.enabled }}
      appProtocol: https
      {{- end }}
    {{- range $name, $port := .ports }}
    - {name: {{ $name }}, port: {{ $port }}, targetPort: {{ $name }}}
    {{- end }}
{{- end }}

{{- define "flink.component.container" -}}
{{- $probe := include "flink.tls.probe" (dict "root" .root "path" .probe "port" .port "name" "http") -}}
{{ .main }}
ports:
  - {name: http, containerPort: {{ .port }}}
  {{- range $name, $port := .ports }}
  - {name: {{ $name }}, containerPort: {{ $port }}}
  {{- end }}
startupProbe:
  {{- $probe | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 90
readinessProbe:
  {{- $probe | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  {{- $probe | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 10
  failureThreshold: 6
{{- end }}
