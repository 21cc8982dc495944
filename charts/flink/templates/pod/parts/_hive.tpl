{{/*
The Hive catalog, where programs are compiled: its file among those of catalogs that SQL creates while the pod lives,
and hive-site.xml.
*/}}
{{- define "flink.part.hive" -}}
{{- if and (include "flink.hive.enabled" .root) (has .component (list "jobmanager" "sql-gateway" "submitter")) -}}
{{- $name := include "flink.hive.name" .root -}}
annotations:
  checksum/hive: {{ include "flink.hive.files" .root | sha256sum }}
volumes:
  - name: catalogs
    emptyDir: {}
  - name: hive-catalog
    configMap: {name: {{ $name }}}
  - name: hive
    configMap: {name: {{ tpl .root.Values.hive.configMap .root | default $name | quote }}}
volumeMounts:
  - {name: catalogs, mountPath: /opt/flink/catalogs}
  - name: hive-catalog
    mountPath: /opt/flink/catalogs/{{ .root.Values.hive.catalog }}.yaml
    subPath: catalog.yaml
    readOnly: true
  - {name: hive, mountPath: /opt/flink/hive, readOnly: true}
{{- end -}}
{{- end }}
