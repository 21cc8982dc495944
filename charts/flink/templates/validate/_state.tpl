{{/* Folders that no pod could reach, and backends that Flink does not have. */}}
{{- define "flink.validate.state" -}}
{{- $values := .Values -}}
{{- $state := $values.state -}}
{{- range $key, $uri := include "flink.state.uris" . | fromJson -}}
{{- $buckets := printf "(%s)://[^/]+(/.*)?" (include "flink.state.schemes" $ | fromJson | keys | join "|") -}}
{{- if not (regexMatch (printf "^(%s|hdfs://[^/]*/.+|file:///.+)$" $buckets) $uri) -}}
{{- fail (printf (cat
      "%s is %q, which is no directory that the chart can reach: write s3://bucket/path, gs://bucket/path,"
      "abfss://container@account.dfs.core.windows.net/path, oss://bucket/path,"
      "hdfs://host:port/path, or file:///path on a volume that all pods mount.") $key $uri) -}}
{{- end -}}
{{- if and (hasPrefix "hdfs:///" $uri) (not $state.hdfs.configMap) -}}
{{- fail (printf (cat
      "%s is %q, which names no NameNode: write hdfs://host:port/path, or set state.hdfs.configMap to the ConfigMap"
      "with core-site.xml and hdfs-site.xml.") $key $uri) -}}
{{- end -}}
{{- if hasPrefix "file://" $uri -}}
{{- $path := include "flink.state.uri" $uri | trimPrefix "file://" -}}
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
      "%s.extraVolumeMounts, or choose a directory below storage.mountPath.")
      $key $uri $role $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "flink.validate.backend" . -}}
{{- end }}

{{/* A backend of the other series of Flink: its processes would start, and each job fail. Classes are the image's. */}}
{{- define "flink.validate.backend" -}}
{{- $version := include "flink.version" . -}}
{{- $backend := include "flink.option" (dict "root" . "key" "state.backend.type") -}}
{{- $others := dict "forst" "rocksdb, or use Flink 2" -}}
{{- if not (hasPrefix "1." $version) -}}
{{- $package := "org.apache.flink.contrib.streaming.state" -}}
{{- $others = dict "filesystem" "hashmap" "jobmanager" "hashmap" (printf "%s.RocksDBStateBackendFactory" $package)
      "rocksdb" (printf "%s.EmbeddedRocksDBStateBackendFactory" $package) "rocksdb" -}}
{{- end -}}
{{- range $name, $instead := $others -}}
{{- if eq (lower $name) (lower $backend) -}}
{{- $who := "state.backend is" -}}
{{- with get (include "flink.options.written" $ | fromJson) "state.backend.type" -}}
{{- $who = printf "flink.config sets %s to" .written -}}
{{- end -}}
{{- fail (printf "%s %s, which Flink %s does not have: write %s." $who $backend $version $instead) -}}
{{- end -}}
{{- end -}}
{{- end }}
