{{/* Folders that no pod could reach, and backends that Flink does not have. */}}
{{- define "flink.validate.state" -}}
{{- $values := .Values -}}
{{- $state := $values.state -}}
{{- range $key, $uri := include "flink.state.uris" . | fromJson -}}
{{- $buckets := printf "(%s)://[^/]+(/.*)?" (include "flink.state.schemes" $ | fromJson | keys | join "|") -}}
{{- if not (regexMatch (printf "^(%s|hdfs://[^/]*/.+|file:///.+)$" $buckets) $uri) -}}
{{- fail (printf (cat
      "%s is %q, which is no folder that the chart can reach: write s3://bucket/path, gs://bucket/path,"
      "abfss://container@account.dfs.core.windows.net/path, oss://bucket/path,"
      "hdfs://host:port/path, or file:///path on a volume that all pods mount.") $key $uri) -}}
{{- end -}}
{{- if and (hasPrefix "hdfs:///" $uri) (not $state.hdfs.configMap) -}}
{{- fail (printf (cat
      "%s is %q, which names no NameNode: write hdfs://host:port/path, or set state.hdfs.configMap to the ConfigMap"
      "with core-site.xml and hdfs-site.xml.") $key $uri) -}}
{{- end -}}
{{- if hasPrefix "file://" $uri -}}
{{- $path := trimPrefix "file://" $uri -}}
{{- $roles := dict "jobmanager" "jobmanager" "taskmanager" "taskmanager" -}}
{{- if $values.historyServer.enabled }}{{ $_ := set $roles "historyServer" "history-server" }}{{ end -}}
{{- range $role, $component := $roles -}}
{{- $mounted := $values.storage.enabled | ternary (list $values.storage.mountPath) list -}}
{{- range (include "flink.role" (dict "root" $ "role" $component) | fromYaml).extraVolumeMounts -}}
{{- $mounted = append $mounted .mountPath -}}
{{- end -}}
{{- $reached := false -}}
{{- range $mounted -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .)) (printf "%s/" $path) -}}
{{- $reached = true -}}
{{- end -}}
{{- end -}}
{{- if not $reached -}}
{{- fail (printf (cat
      "%s is %q, but the pod of %s mounts no volume there, and the files would end with it: mount one in"
      "%s.extraVolumeMounts, or choose a folder below storage.mountPath.")
      $key $uri $role $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $state.backend "forst") (hasPrefix "1." (include "flink.version" .)) -}}
{{- fail (printf (cat
      "state.backend is forst, which Flink %s does not have: write rocksdb, or use Flink 2.")
      (include "flink.version" .)) -}}
{{- end -}}
{{- end }}
