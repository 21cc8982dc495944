{{/* Where a part of the state lies, as a URI; empty if nowhere: (dict "root" $ "part" "checkpoints"). */}}
{{- define "flink.state.folder" -}}
{{- $values := .root.Values -}}
{{- $name := include "flink.fullname" .root -}}
{{- $leaf := ternary "ha" .part (eq .part "highAvailability") -}}
{{- if get $values.state.folders .part -}}
{{- get $values.state.folders .part -}}
{{- else if $values.state.root -}}
{{- printf "%s/%s/%s/%s" (trimSuffix "/" $values.state.root) .root.Release.Namespace $name $leaf -}}
{{- else if $values.storage.enabled -}}
{{- printf "file://%s/%s/%s" $values.storage.mountPath $name $leaf -}}
{{- end -}}
{{- end }}

{{/* Flink's options for all of this, as JSON. */}}
{{- define "flink.state.options" -}}
{{- $checkpointing := .Values.state.checkpointing -}}
{{- $options := dict
      "state.backend.type" .Values.state.backend
      "execution.checkpointing.num-retained" (include "flink.text" $checkpointing.retained)
      "execution.checkpointing.incremental" (toString $checkpointing.incremental)
-}}
{{- with $checkpointing.interval }}{{ $_ := set $options "execution.checkpointing.interval" . }}{{ end -}}
{{- if $checkpointing.unaligned -}}
{{- $_ := set $options "execution.checkpointing.unaligned.enabled" "true" -}}
{{- end -}}
{{- if $checkpointing.localRecovery -}}
{{- $_ := set $options "execution.checkpointing.local-backup.enabled" "true" -}}
{{- $_ := set $options "execution.state-recovery.from-local" "true" -}}
{{- end -}}
{{- if $checkpointing.timeout -}}
{{- $_ := set $options "execution.checkpointing.timeout" $checkpointing.timeout -}}
{{- end -}}
{{- with include "flink.state.folder" (dict "root" . "part" "checkpoints") -}}
{{- $_ := set $options "execution.checkpointing.dir" . -}}
{{- /* Checkpoints outlive the job, so that another one can begin from them. */ -}}
{{- $_ := set $options "execution.checkpointing.externalized-checkpoint-retention" "RETAIN_ON_CANCELLATION" -}}
{{- end -}}
{{- with include "flink.state.folder" (dict "root" . "part" "savepoints") -}}
{{- $_ := set $options "execution.checkpointing.savepoint-dir" . -}}
{{- end -}}
{{- if include "flink.highlyAvailable" . -}}
{{- with include "flink.state.folder" (dict "root" . "part" "highAvailability") -}}
{{- $_ := set $options "high-availability.storageDir" . -}}
{{- end -}}
{{- end -}}
{{- $s3 := .Values.state.s3 -}}
{{- with $s3.endpoint }}{{ $_ := set $options "s3.endpoint" . }}{{ end -}}
{{- if $s3.pathStyle }}{{ $_ := set $options "s3.path-style-access" "true" }}{{ end -}}
{{- /* "s3.endpoint.region" beside "s3.endpoint" would be an error in Flink's YAML file. */ -}}
{{- with $s3.region }}{{ $_ := set $options "s3a.endpoint.region" . }}{{ end -}}
{{- toJson $options -}}
{{- end }}

{{/* Directory in the pods where checkpoints/ and savepoints/ are files, on the claim or on a volume of the user's; empty if they lie elsewhere. */}}
{{- define "flink.state.onFiles" -}}
{{- $options := include "flink.configuration" . | fromYaml -}}
{{- $checkpoints := get $options "execution.checkpointing.dir" | default "" -}}
{{- $directory := trimSuffix "/checkpoints" $checkpoints -}}
{{- if and (hasPrefix "file:///" $directory) (eq $checkpoints (printf "%s/checkpoints" $directory))
      (eq (get $options "execution.checkpointing.savepoint-dir") (printf "%s/savepoints" $directory)) -}}
{{- trimPrefix "file://" $directory -}}
{{- end -}}
{{- end }}

{{/* The same, if it is on the claim: the pod that submits a session's jobs mounts nothing else. */}}
{{- define "flink.state.onClaim" -}}
{{- $directory := include "flink.state.onFiles" . -}}
{{- if and .Values.storage.enabled (hasPrefix (printf "%s/" (trimSuffix "/" .Values.storage.mountPath)) $directory) }}{{ $directory }}{{ end -}}
{{- end }}

{{/* Whether Flink may delete an own checkpoint that it started from, in time: it may not if the user says how it takes state over. */}}
{{- define "flink.state.claimsOwn" -}}
{{- if not (hasKey (include "flink.options.given" . | fromJson) "execution.state-recovery.claim-mode") }}true{{ end -}}
{{- end }}

{{/* The format of savepoints: ForSt has only its own. */}}
{{- define "flink.state.savepointFormat" -}}
{{- $forst := eq (include "flink.option" (dict "root" . "key" "state.backend.type")) "forst" -}}
{{- .Values.savepoints.format | default (ternary "native" "canonical" $forst) | upper -}}
{{- end }}

{{/* Stores that the pods can read, scheme -> endpoint, as JSON. Whether Hadoop's classes are in the image nobody knows here. */}}
{{- define "flink.state.stores" -}}
{{- $stores := dict "hdfs" "" -}}
{{- $plugins := include "flink.state.plugins" . | fromJsonArray -}}
{{- $endpoint := include "flink.option" (dict "root" $ "key" "s3.endpoint") -}}
{{- range $scheme, $plugin := include "flink.plugins.schemes" . | fromJson -}}
{{- if has $plugin $plugins -}}
{{- $s3 := hasPrefix "s3" $scheme -}}
{{- $_ := set $stores (ternary "s3" $scheme $s3) (ternary $endpoint "" $s3) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "execution.checkpointing.dir" "execution.checkpointing.savepoint-dir" -}}
{{- $uri := include "flink.option" (dict "root" $ "key" $key) -}}
{{- $scheme := splitList "://" $uri | first -}}
{{- if and (contains "://" $uri) (ne $scheme "file") (not (hasPrefix "s3" $scheme)) }}{{ $_ := set $stores $scheme "" }}{{ end -}}
{{- end -}}
{{- toJson $stores -}}
{{- end }}

{{/* The folders that values name, {key: URI} as JSON. */}}
{{- define "flink.state.uris" -}}
{{- $uris := dict -}}
{{- with .Values.state.root }}{{ $_ := set $uris "state.root" . }}{{ end -}}
{{- range $part, $uri := .Values.state.folders -}}
{{- if $uri }}{{ $_ := set $uris (printf "state.folders.%s" $part) $uri }}{{ end -}}
{{- end -}}
{{- toJson $uris -}}
{{- end }}

{{/* Plugins that are named, and those of the image that reach all folders, as a JSON list. With values of S3 its plugin is there for jobs too. */}}
{{- define "flink.state.plugins" -}}
{{- $plugins := include "flink.plugins.schemes" . | fromJson -}}
{{- $wanted := .Values.flink.plugins | default list -}}
{{- $uris := include "flink.state.uris" . | fromJson | values -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- range $key := list "execution.checkpointing.dir" "execution.checkpointing.savepoint-dir" "high-availability.storageDir" -}}
{{- $uris = append $uris (get $given $key) -}}
{{- end -}}
{{- range $uri := append $uris .Values.job.fromSavepoint -}}
{{- with get $plugins (splitList "://" $uri | first) }}{{ $wanted = append $wanted . }}{{ end -}}
{{- end -}}
{{- $s3 := .Values.state.s3 -}}
{{- if and (or $s3.endpoint $s3.region $s3.credentialsSecret) (not (has "flink-s3-fs-presto" $wanted)) -}}
{{- $wanted = append $wanted "flink-s3-fs-hadoop" -}}
{{- end -}}
{{- $wanted | uniq | sortAlpha | toJson -}}
{{- end }}

{{/* What of the pods serves to reach the state, as JSON: initContainers, env, volumes, volumeMounts. */}}
{{- define "flink.state.pod" -}}
{{- $state := .Values.state -}}
{{- $pod := dict "initContainers" list "env" list "volumes" list "volumeMounts" list -}}
{{- with include "flink.state.plugins" . | fromJsonArray -}}
{{- $pod = include "flink.state.links" (dict "root" $ "plugins" .) | fromYaml -}}
{{- end -}}
{{- $env := list -}}
{{- with $state.s3.credentialsSecret -}}
{{- range $name := list "AWS_ACCESS_KEY_ID" "AWS_SECRET_ACCESS_KEY" -}}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "secretKeyRef" (dict "name" $state.s3.credentialsSecret "key" $name))) -}}
{{- end -}}
{{- end -}}
{{- with $state.s3.region }}{{ $env = append $env (dict "name" "AWS_REGION" "value" .) }}{{ end -}}
{{- with $state.hdfs.classpath }}{{ $env = append $env (dict "name" "HADOOP_CLASSPATH" "value" .) }}{{ end -}}
{{- with $state.hdfs.configMap -}}
{{- $env = append $env (dict "name" "HADOOP_CONF_DIR" "value" "/etc/hadoop") -}}
{{- $_ := set $pod "volumes" (append $pod.volumes (dict "name" "hadoop" "configMap" (dict "name" .))) -}}
{{- $_ := set $pod "volumeMounts" (append $pod.volumeMounts (dict "name" "hadoop" "mountPath" "/etc/hadoop" "readOnly" true)) -}}
{{- end -}}
{{- $_ := set $pod "env" $env -}}
{{- toJson $pod -}}
{{- end }}

{{/* The root file system is read-only: plugins are linked into a volume, a folder for each: (dict "root" $ "plugins" <names>). */}}
{{- define "flink.state.links" -}}
initContainers:
  - name: plugins
    image: {{ include "flink.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command: [bash, /opt/flink/scripts/plugins.sh, /links]
    args:
      {{- toYaml .plugins | nindent 6 }}
    resources:
      requests: {cpu: 10m, memory: 32Mi}
      limits: {memory: 32Mi}
    securityContext:
      {{- toYaml .root.Values.securityContext | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
      - {name: plugins, mountPath: /links}
volumes:
  - name: plugins
    emptyDir: {}
volumeMounts:
  {{- range .plugins }}
  - {name: plugins, mountPath: /opt/flink/plugins/{{ . }}, subPath: {{ . }}, readOnly: true}
  {{- end }}
{{- end }}

{{- define "flink.validate.state" -}}
{{- $values := .Values -}}
{{- $state := $values.state -}}
{{- range $key, $uri := include "flink.state.uris" . | fromJson -}}
{{- if not (regexMatch "^((s3|s3a|s3p|gs|abfs|abfss|wasb|wasbs|oss)://[^/]+(/.*)?|hdfs://[^/]*/.+|file:///.+)$" $uri) -}}
{{- fail (printf "%s is %q, which is no folder that the chart can reach: write s3://bucket/path, gs://bucket/path, abfss://container@account.dfs.core.windows.net/path, oss://bucket/path, hdfs://host:port/path, or file:///path on a volume that all pods mount." $key $uri) -}}
{{- end -}}
{{- if and (hasPrefix "hdfs:///" $uri) (not $state.hdfs.configMap) -}}
{{- fail (printf "%s is %q, which names no NameNode: write hdfs://host:port/path, or set state.hdfs.configMap to the ConfigMap with core-site.xml and hdfs-site.xml." $key $uri) -}}
{{- end -}}
{{- if hasPrefix "file://" $uri -}}
{{- $path := trimPrefix "file://" $uri -}}
{{- range $role := list "jobmanager" "taskmanager" -}}
{{- $mounted := $values.storage.enabled | ternary (list $values.storage.mountPath) list -}}
{{- range (get $values $role).extraVolumeMounts }}{{ $mounted = append $mounted .mountPath }}{{ end -}}
{{- $reached := false -}}
{{- range $mounted }}{{ if hasPrefix (printf "%s/" (trimSuffix "/" .)) (printf "%s/" $path) }}{{ $reached = true }}{{ end }}{{ end -}}
{{- if not $reached -}}
{{- fail (printf "%s is %q, but the %s mounts no volume there, and the files would end with the pod: mount one in jobmanager.extraVolumeMounts and taskmanager.extraVolumeMounts, or choose a folder below storage.mountPath." $key $uri $role) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $state.backend "forst") (hasPrefix "1." (include "flink.version" .)) -}}
{{- fail (printf "state.backend is forst, which Flink %s does not have: write rocksdb, or use Flink 2." (include "flink.version" .)) -}}
{{- end -}}
{{- $own := include "flink.pod.own" (dict "root" .) | fromJson -}}
{{- range $role := list "jobmanager" "taskmanager" -}}
{{- range $list, $used := dict "extraEnv" $own.env "extraVolumes" $own.volumes "initContainers" $own.initContainers -}}
{{- range $mine := $used -}}
{{- range get (get $values $role) $list -}}
{{- if eq .name $mine.name -}}
{{- fail (printf "%s.%s has %s, which the chart sets itself for the values in state or flink: give yours another name, or leave one of them out." $role $list .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
