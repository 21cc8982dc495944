{{/*
The JobManager's part of native mode. Flink reads the pod template of its TaskManagers once, when the JobManager starts,
from this directory alone, and under high availability the address that it announces from the environment.
*/}}
{{- define "flink.part.native" -}}
{{- if eq .root.Values.flink.mode "native" -}}
annotations:
  checksum/taskmanager: {{ include "flink.native.checksum" .root | quote }}
env:
  - {name: NATIVE, value: "true"}
  - name: _POD_IP_ADDRESS
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
volumeMounts:
  - {name: config, mountPath: /opt/flink/pod-template, readOnly: true}
{{- end -}}
{{- end }}

{{/* By this label the hooks tell the TaskManagers of a revision from those of the one before. */}}
{{- define "flink.part.template" -}}
labels: {flink/template: {{ include "flink.native.checksum" .root | quote }}}
{{- end }}
