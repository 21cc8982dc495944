{{/* A Hive catalog that no program could reach. */}}
{{- define "flink.validate.hive" -}}
{{- $hive := .Values.hive -}}
{{- $version := include "flink.version" . -}}
{{- if include "flink.hive.enabled" . -}}
{{- $key := ternary "hive.metastore" "hive.configMap" (not (empty $hive.metastore)) -}}
{{- if and $hive.metastore $hive.configMap -}}
{{- fail (cat
      "hive.metastore and hive.configMap are both set: write the address into the hive-site.xml of the ConfigMap, as"
      "hive.metastore.uris, and leave hive.metastore out.") -}}
{{- end -}}
{{- if not (hasPrefix "1." $version) -}}
{{- fail (printf (cat
      "%s is set, but no connector for Hive is published for Flink %s: set flink.version to 1.20.5, with an image that"
      "has the connector, or leave hive out.") $key $version) -}}
{{- end -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- if hasPrefix "table.catalog-store." $name -}}
{{- fail (printf "%s, but the catalog of %s is in a store of the chart's own: leave it out, or leave hive out."
      (include "flink.options.called" (dict "name" $name "option" $option)) $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if .Values.sqlGateway.hiveServer2 -}}
{{- $reason := "" -}}
{{- if eq .Values.flink.type "job" -}}
{{- $reason = "flink.type is job, where no gateway runs: set flink.type=session" -}}
{{- else if not .Values.sqlGateway.enabled -}}
{{- $reason = "sqlGateway.enabled is false, so that there is no gateway: set sqlGateway.enabled=true" -}}
{{- else if not (include "flink.hive.enabled" .) -}}
{{- $reason = "no metastore is named, whose tables its clients would see: set hive.metastore or hive.configMap" -}}
{{- else if .Values.tls.rest.enabled -}}
{{- $reason = cat "tls.rest.enabled is true, and Flink's HiveServer2 has neither TLS nor a login: set"
      "tls.rest.enabled=false" -}}
{{- end -}}
{{- with $reason -}}
{{- fail (printf "sqlGateway.hiveServer2 is true, but %s, or leave hiveServer2 out." .) -}}
{{- end -}}
{{- end -}}
{{- end }}
