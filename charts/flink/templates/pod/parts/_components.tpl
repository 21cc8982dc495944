{{/*
Flink sizes the heaps of JobManager and TaskManager alone; Java itself would take a quarter of the container. Yours
replaces it.
*/}}
{{- define "flink.part.heap" -}}
{{- $given := false -}}
{{- range .values.extraEnv }}{{ if eq .name "JAVA_TOOL_OPTIONS" }}{{ $given = true }}{{ end }}{{ end -}}
{{- if not $given -}}
env:
  - {name: JAVA_TOOL_OPTIONS, value: "-XX:MaxRAMPercentage=60"}
{{- end -}}
{{- end }}

{{/* The disk of the chart's own ZooKeeper. */}}
{{- define "flink.part.zookeeper" -}}
volumes:
  - name: zookeeper
    persistentVolumeClaim: {claimName: {{ include "flink.zookeeper.name" .root }}}
volumeMounts:
  - {name: zookeeper, mountPath: /zookeeper}
{{- end }}
