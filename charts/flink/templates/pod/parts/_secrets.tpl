{{/*
What Secrets hold of Flink's configuration: options, and passwords of key stores. Flink reads one directory: written in
memory before Flink starts, from the ConfigMap and the Secrets. Flink mounts its options itself in the pods that it
makes, so that these have no part "config".
*/}}
{{- define "flink.part.secrets" -}}
{{- $root := .root -}}
{{- if include "flink.secrets.used" $root -}}
{{- $options := include "flink.secrets.options" $root | fromJson -}}
{{- $certificates := include "flink.tls.mounted" $root | fromJson -}}
{{- $command := list "bash" "/opt/flink/scripts/configure.sh" "/opt/flink/config-map" "/opt/flink/options"
      "/opt/flink/conf" -}}
initContainers:
  - name: configure
    image: {{ include "flink.image" $root | quote }}
    command: {{ ternary (append $command "/opt/flink/tls") $command (not (empty $certificates)) | toJson }}
    {{- include "flink.pod.init" . | nindent 4 }}
    volumeMounts:
      - {name: config, mountPath: /opt/flink/config-map, readOnly: true}
      {{- if $options }}
      - {name: options, mountPath: /opt/flink/options, readOnly: true}
      {{- end }}
      {{- range $part, $_ := $certificates }}
      - {name: tls-{{ $part }}, mountPath: /opt/flink/tls/{{ $part }}, readOnly: true}
      {{- end }}
      - {name: conf, mountPath: /opt/flink/conf}
      - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
volumes:
  {{- if not (has "config" .parts) }}
  - name: config
    configMap: {name: {{ include "flink.config.name" $root }}}
  {{- end }}
  {{- with $options }}
  - name: options
    projected:
      sources:
        {{- range $name, $secret := . }}
        - secret:
            name: {{ tpl $secret.name $root | quote }}
            items: [{key: {{ $secret.key | quote }}, path: {{ $name | quote }}}]
        {{- end }}
  {{- end }}
  - name: conf
    emptyDir: {medium: Memory}
volumeMounts:
  - {name: conf, mountPath: /opt/flink/conf, readOnly: true}
{{- end -}}
{{- end }}
