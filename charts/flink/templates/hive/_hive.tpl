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

{{/*
What hive-site.xml says, as JSON: the metastore, and for tables on S3 what state.s3 says, in the words of Hadoop's
client.
*/}}
{{- define "flink.hive.properties" -}}
{{- $s3 := .Values.state.s3 -}}
{{- $properties := dict "hive.metastore.uris" .Values.hive.metastore
      "fs.s3.impl" "org.apache.hadoop.fs.s3a.S3AFileSystem" -}}
{{- $region := $s3.region -}}
{{- with $s3.endpoint -}}
{{- $_ := set $properties "fs.s3a.endpoint" . -}}
{{- /* Stores other than AWS call themselves so, and Hadoop's client takes another region where it is told none. */ -}}
{{- if not (contains ".amazonaws." .) }}{{ $region = $region | default "us-east-1" }}{{ end -}}
{{- end -}}
{{- with $region }}{{ $_ := set $properties "fs.s3a.endpoint.region" . }}{{ end -}}
{{- if $s3.pathStyle }}{{ $_ := set $properties "fs.s3a.path.style.access" "true" }}{{ end -}}
{{- toJson $properties -}}
{{- end }}

{{/* The files of the ConfigMap, as YAML. */}}
{{- define "flink.hive.files" -}}
catalog.yaml: |
  type: hive
  hive-conf-dir: /opt/flink/hive
{{- if .Values.hive.metastore }}
hive-site.xml: |
  <configuration>
    {{- range $name, $value := include "flink.hive.properties" . | fromJson }}
    <property><name>{{ $name }}</name><value>{{ html $value }}</value></property>
    {{- end }}
  </configuration>
{{- end }}
{{- end }}
