{{/* Flink's options and logging, unless they are mounted with what Secrets hold. */}}
{{- define "flink.part.config" -}}
volumes:
  - name: config
    configMap: {name: {{ include "flink.config.name" .root }}}
{{- if not (and (has "secrets" .parts) (include "flink.secrets.used" .root)) }}
volumeMounts:
  - {name: config, mountPath: /opt/flink/conf, readOnly: true}
{{- end }}
{{- end }}

{{/* Other options are another pod. */}}
{{- define "flink.part.checksum" -}}
annotations:
  checksum/config: {{ include "flink.configChecksum" (dict "root" .root "role" .component) }}
{{- end }}

{{/* The chart's scripts. */}}
{{- define "flink.part.scripts" -}}
volumes:
  - name: scripts
    configMap: {name: {{ include "flink.scripts.name" .root }}}
volumeMounts:
  - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
{{- end }}
