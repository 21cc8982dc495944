{{/* What a process of Flink calls itself. */}}
{{- define "flink.part.identity" -}}
env:
  - name: POD_NAME
    valueFrom: {fieldRef: {fieldPath: metadata.name}}
  - name: POD_IP
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}
