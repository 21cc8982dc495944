{{/* Whether SQL sees a Hive catalog. */}}
{{- define "flink.hive.enabled" -}}
{{- if or .Values.hive.metastore .Values.hive.configMap }}true{{ end -}}
{{- end }}

{{- define "flink.hive.name" -}}{{ include "flink.fullname" . }}-hive{{- end }}

{{/* Flink's options, as JSON: who speaks SQL looks for catalogs in a directory. */}}
{{- define "flink.hive.options" -}}
{{- $options := dict -}}
{{- if include "flink.hive.enabled" . -}}
{{- $options = dict "table.catalog-store.kind" "file" "table.catalog-store.file.path" "file:///opt/flink/catalogs" -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/* The files of the ConfigMap, as YAML. */}}
{{- define "flink.hive.files" -}}
catalog.yaml: |
  type: hive
  hive-conf-dir: /opt/flink/hive
{{- with .Values.hive.metastore }}
hive-site.xml: |
  <configuration>
    <property><name>hive.metastore.uris</name><value>{{ html . }}</value></property>
  </configuration>
{{- end }}
{{- end }}
