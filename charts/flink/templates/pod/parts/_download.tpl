{{/* The file of a job by URL, which the code of the hooks fetches before Flink starts. */}}
{{- define "flink.part.download" -}}
{{- $root := .root -}}
{{- with include "flink.job.download" $root | fromJson -}}
initContainers:
  - name: download
    image: {{ include "flink.hooks.image" $root | quote }}
    command: {{ list "python3" "-B" "-m" "hooks.download" .url .sha256 (include "flink.job.path" .url) | toJson }}
    workingDir: /
    {{- with include "flink.env" $ | fromYamlArray }}
    env: # a proxy, perhaps
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with $.values.extraEnvFrom }}
    envFrom:
      {{- include "flink.rendered" (dict "root" $root "key" "jobmanager.extraEnvFrom" "list" .) | nindent 6 }}
    {{- end }}
    {{- include "flink.pod.init" $ | nindent 4 }}
    volumeMounts:
      - {name: scripts, mountPath: /hooks, readOnly: true}
      - {name: artifact, mountPath: /opt/flink/artifact}
volumes:
  - name: artifact
    emptyDir: {}
volumeMounts:
  - {name: artifact, mountPath: /opt/flink/artifact, readOnly: true}
{{- end -}}
{{- end }}
