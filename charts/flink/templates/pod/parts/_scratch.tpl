{{/*
The root file system is read-only: what Flink writes for itself goes to /tmp, as io.tmp.dirs says, and to log/.
*/}}
{{- define "flink.part.scratch" -}}
volumes:
  - {{ merge (dict "name" "tmp") (.values.scratch | default (dict "emptyDir" dict)) | toYaml | nindent 4 | trim }}
  - name: log
    emptyDir: {}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: log, mountPath: /opt/flink/log}
{{- end }}
