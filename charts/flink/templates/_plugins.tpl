{{/* Schemes of folders, and Flink's plugins for them, as JSON. */}}
{{- define "flink.plugins.schemes" -}}
{{- $schemes := dict "s3" "flink-s3-fs-hadoop" "s3a" "flink-s3-fs-hadoop" "s3p" "flink-s3-fs-presto" "gs" "flink-gs-fs-hadoop" "oss" "flink-oss-fs-hadoop" -}}
{{- range list "abfs" "abfss" "wasb" "wasbs" }}{{ $_ := set $schemes . "flink-azure-fs-hadoop" }}{{ end -}}
{{- toJson $schemes -}}
{{- end }}

{{- define "flink.validate.plugins" -}}
{{- range .Values.flink.plugins -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*[a-z]$" .) -}}
{{- fail (printf "flink.plugins has %q: write the name of a jar in the image's /opt/flink/opt without its version, for example flink-azure-fs-hadoop." .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
What of a pod serves to reach state, plugins and options, as JSON: initContainers, env, volumes, volumeMounts.
(dict "root" $ "native" <whether Flink makes the pod>)
*/}}
{{- define "flink.pod.own" -}}
{{- $pod := include "flink.state.pod" .root | fromJson -}}
{{- $secrets := include "flink.secrets.pod" . | fromJson -}}
{{- range $part := list "initContainers" "volumes" "volumeMounts" -}}
{{- $_ := set $pod $part (concat (get $secrets $part) (get $pod $part)) -}}
{{- end -}}
{{- toJson $pod -}}
{{- end }}
