{{/*
Options that Secrets hold. Flink reads one directory: written in memory before Flink starts, from the ConfigMap and
the Secrets. Flink mounts its options itself in the pods that it makes, so that these have no part "config".
*/}}
{{- define "flink.part.secrets" -}}
{{- $root := .root -}}
{{- with include "flink.secrets.options" $root | fromJson -}}
initContainers:
  - name: configure
    image: {{ include "flink.image" $root | quote }}
    command: [bash, /opt/flink/scripts/configure.sh, /opt/flink/config-map, /opt/flink/options, /opt/flink/conf]
    {{- include "flink.pod.init" $ | nindent 4 }}
    volumeMounts:
      - {name: config, mountPath: /opt/flink/config-map, readOnly: true}
      - {name: options, mountPath: /opt/flink/options, readOnly: true}
      - {name: conf, mountPath: /opt/flink/conf}
      - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
volumes:
  {{- if not (has "config" $.parts) }}
  - name: config
    configMap: {name: {{ include "flink.config.name" $root }}}
  {{- end }}
  - name: options
    projected:
      sources:
        {{- range $name, $secret := . }}
        - secret:
            name: {{ tpl $secret.name $root | quote }}
            items: [{key: {{ $secret.key | quote }}, path: {{ $name | quote }}}]
        {{- end }}
  - name: conf
    emptyDir: {medium: Memory}
volumeMounts:
  - {name: conf, mountPath: /opt/flink/conf, readOnly: true}
{{- end -}}
{{- end }}
