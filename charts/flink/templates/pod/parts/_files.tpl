{{/* The small files of the values. For the JobManager of a job, other files are another job. */}}
{{- define "flink.part.files" -}}
{{- if .root.Values.files -}}
{{- if eq .component "jobmanager" -}}
annotations:
  checksum/files: {{ toJson .root.Values.files | sha256sum }}
{{ end -}}
volumes:
  - name: files
    configMap: {name: {{ include "flink.files.name" .root }}}
volumeMounts:
  - {name: files, mountPath: /opt/flink/files, readOnly: true}
{{- end -}}
{{- end }}

{{- define "flink.files.name" -}}{{ include "flink.fullname" . }}-files{{- end }}

{{/* Path in the pods of a file that a value names: one of `files`, or one of the image or the claim. */}}
{{- define "flink.files.path" -}}
{{- if or (contains "/" .) (not .) }}{{ trimPrefix "local://" . }}{{ else }}/opt/flink/files/{{ . }}{{ end -}}
{{- end }}
