{{/* What start-job.sh gets for a job that hooks manage, and the record of where it resumes. */}}
{{- define "flink.part.record" -}}
{{- if include "flink.job.carried" .root -}}
{{- $retained := include "flink.option" (dict "root" .root "key" "execution.checkpointing.num-retained") -}}
env:
  - {name: JOB_SPECIFICATION, value: {{ .specification | quote }}}
  - name: POD_UID
    valueFrom: {fieldRef: {fieldPath: metadata.uid}}
  - {name: HIGH_AVAILABILITY, value: {{ include "flink.highlyAvailable" .root | default "false" | quote }}}
  - {name: CLAIM_DIRECTORY, value: {{ include "flink.state.onFiles" .root | quote }}}
  - {name: RETAINED_CHECKPOINTS, value: {{ $retained | quote }}}
  - {name: CLAIM_OWN_CHECKPOINTS, value: {{ include "flink.state.claimsOwn" .root | default "false" | quote }}}
volumes:
  - name: record
    configMap: {name: {{ include "flink.record.name" .root }}, optional: true}
volumeMounts:
  - {name: record, mountPath: /opt/flink/record, readOnly: true}
{{- end -}}
{{- end }}

{{/* The pod is told the hash of itself, by which the hooks know it. */}}
{{- define "flink.part.specification" -}}
annotations:
  flink/specification: {{ .specification | quote }}
  flink/chart: {{ .root.Template.BasePath }}
{{- end }}

{{/*
Without high availability a TaskManager learns that its JobManager was replaced by heartbeats that fail to come:
both are replaced together.
*/}}
{{- define "flink.part.together" -}}
{{- if and (include "flink.job.carried" .root) (not (include "flink.highlyAvailable" .root)) -}}
annotations:
  flink/jobmanager-template: {{ include "flink.jobmanager.template" .root | quote }}
{{- end -}}
{{- end }}
