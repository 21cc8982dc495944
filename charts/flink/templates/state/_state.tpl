{{/* Where a part of the state lies, as a URI; empty if nowhere: (dict "root" $ "part" "checkpoints"). */}}
{{- define "flink.state.folder" -}}
{{- $values := .root.Values -}}
{{- $name := include "flink.fullname" .root -}}
{{- $leaf := ternary "ha" .part (eq .part "highAvailability") -}}
{{- if get $values.state.folders .part -}}
{{- include "flink.state.uri" (get $values.state.folders .part) -}}
{{- else if $values.state.root -}}
{{- printf "%s/%s/%s/%s" (include "flink.state.uri" $values.state.root) .root.Release.Namespace $name $leaf -}}
{{- else if $values.storage.enabled -}}
{{- printf "file://%s/%s/%s" $values.storage.mountPath $name $leaf -}}
{{- end -}}
{{- end }}

{{/* A directory in one form: two paths are compared as texts, by the chart and by start-job.sh. */}}
{{- define "flink.state.uri" -}}
{{- if hasPrefix "file:/" . -}}
file://{{ clean (trimPrefix "file:" .) }}
{{- else -}}
{{- regexReplaceAll "/+$" . "" -}}
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
{{- with $checkpointing.interval -}}
{{- $_ := set $options "execution.checkpointing.interval" (include "flink.duration" .) -}}
{{- end -}}
{{- if $checkpointing.unaligned -}}
{{- $_ := set $options "execution.checkpointing.unaligned.enabled" "true" -}}
{{- end -}}
{{- if $checkpointing.localRecovery -}}
{{- $_ := set $options "execution.checkpointing.local-backup.enabled" "true" -}}
{{- $_ := set $options "execution.state-recovery.from-local" "true" -}}
{{- end -}}
{{- if $checkpointing.timeout -}}
{{- $_ := set $options "execution.checkpointing.timeout" (include "flink.duration" $checkpointing.timeout) -}}
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
{{- with $s3.endpoint -}}
{{- $_ := set $options "s3.endpoint" . -}}
{{- /* Else Hadoop's client deletes the markers of all directories above each file that it writes, as releases before
       3.3.1 wanted it. Stores over a file system refuse to delete a directory that holds something, and it tries again
       for a minute. */ -}}
{{- $_ := set $options "s3.directory.marker.retention" "keep" -}}
{{- end -}}
{{- if $s3.pathStyle }}{{ $_ := set $options "s3.path-style-access" "true" }}{{ end -}}
{{- /* "s3.endpoint.region" beside "s3.endpoint" would be an error in Flink's YAML file. */ -}}
{{- with $s3.region }}{{ $_ := set $options "s3a.endpoint.region" . }}{{ end -}}
{{- with .Values.kerberos.principal -}}
{{- $_ := set $options "security.kerberos.login.principal" . -}}
{{- $_ := set $options "security.kerberos.login.keytab" "/etc/kerberos/keytab" -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/*
Directory in the pods where checkpoints/ and savepoints/ are files, on the claim or on a volume of the user's; empty
if they lie elsewhere.
*/}}
{{- define "flink.state.onFiles" -}}
{{- $options := include "flink.configuration" . | fromYaml -}}
{{- $checkpoints := get $options "execution.checkpointing.dir" | default "" | include "flink.state.uri" -}}
{{- $savepoints := get $options "execution.checkpointing.savepoint-dir" | default "" | include "flink.state.uri" -}}
{{- $directory := trimSuffix "/checkpoints" $checkpoints -}}
{{- if and (hasPrefix "file:///" $directory) (eq $checkpoints (printf "%s/checkpoints" $directory))
      (eq $savepoints (printf "%s/savepoints" $directory)) -}}
{{- trimPrefix "file://" $directory -}}
{{- end -}}
{{- end }}

{{/* The same, if it is on the claim: the pod that submits a session's jobs mounts nothing else. */}}
{{- define "flink.state.onClaim" -}}
{{- $directory := include "flink.state.onFiles" . -}}
{{- if and .Values.storage.enabled (hasPrefix (printf "%s/" .Values.storage.mountPath) $directory) -}}
{{- $directory -}}
{{- end -}}
{{- end }}

{{/*
Whether Flink may delete an own checkpoint that it started from, in time: it may not if the user says how it takes
state over.
*/}}
{{- define "flink.state.claimsOwn" -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- if not (hasKey $given "execution.state-recovery.claim-mode") }}true{{ end -}}
{{- end }}

{{/* The format of savepoints: ForSt has only its own. */}}
{{- define "flink.state.savepointFormat" -}}
{{- $forst := eq (include "flink.option" (dict "root" . "key" "state.backend.type")) "forst" -}}
{{- .Values.savepoints.format | default (ternary "native" "canonical" $forst) | upper -}}
{{- end }}

{{/*
Stores that the pods can read, scheme -> endpoint, as JSON. Whether Hadoop's classes are in the image nobody knows
here.
*/}}
{{- define "flink.state.stores" -}}
{{- $stores := dict "hdfs" "" -}}
{{- $plugins := include "flink.state.plugins" . | fromJsonArray -}}
{{- $endpoint := include "flink.option" (dict "root" $ "key" "s3.endpoint") -}}
{{- range $scheme, $plugin := include "flink.state.schemes" . | fromJson -}}
{{- if has $plugin $plugins -}}
{{- $s3 := hasPrefix "s3" $scheme -}}
{{- $_ := set $stores (ternary "s3" $scheme $s3) (ternary $endpoint "" $s3) -}}
{{- end -}}
{{- end -}}
{{- range $key := list "execution.checkpointing.dir" "execution.checkpointing.savepoint-dir" -}}
{{- $uri := include "flink.option" (dict "root" $ "key" $key) -}}
{{- $scheme := splitList "://" $uri | first -}}
{{- if and (contains "://" $uri) (ne $scheme "file") (not (hasPrefix "s3" $scheme)) -}}
{{- $_ := set $stores $scheme "" -}}
{{- end -}}
{{- end -}}
{{- toJson $stores -}}
{{- end }}

{{/*
The store that a hook may ask whether it takes the credentials of a Secret, as files/hooks/wanted.py has it; {} where
that would say nothing: something else than state.s3 decides how Flink reaches it, or the release itself may make the
Secret or the bucket.
*/}}
{{- define "flink.state.s3" -}}
{{- $buckets := list -}}
{{- $uris := list (include "flink.option" (dict "root" . "key" "execution.checkpointing.dir")) -}}
{{- if include "flink.highlyAvailable" . -}}
{{- $uris = append $uris (include "flink.option" (dict "root" . "key" "high-availability.storageDir")) -}}
{{- end -}}
{{- range $uri := $uris -}}
{{- if regexMatch "^s3[ap]?://" $uri -}}
{{- $buckets = append $buckets (regexReplaceAll "^s3[ap]?://([^/]*).*$" $uri "${1}") -}}
{{- end -}}
{{- end -}}
{{- $others := or .Values.extraObjects (not .Chart.IsRoot) -}}
{{- range $name, $_ := include "flink.options.written" . | fromJson -}}
{{- $how := "access|bucket|credential|endpoint|path|proxy|region|secret|sign|ssl|token" -}}
{{- if regexMatch (printf "^(fs\\.)?s3[ap]?\\..*(%s)" $how) $name -}}
{{- $others = true -}}
{{- end -}}
{{- end -}}
{{- range $role := list .Values.jobmanager .Values.taskmanager -}}
{{- if $role.extraEnvFrom }}{{ $others = true }}{{ end -}}
{{- range $role.extraEnv }}{{ if hasPrefix "AWS_" .name }}{{ $others = true }}{{ end }}{{ end -}}
{{- end -}}
{{- $s3 := .Values.state.s3 -}}
{{- if or $others (not $buckets) (not $s3.credentialsSecret) -}}
{}
{{- else -}}
{{- dict "endpoint" $s3.endpoint "region" $s3.region "path_style" $s3.pathStyle "buckets" (uniq $buckets)
      "secret" (tpl $s3.credentialsSecret .)
      "keys" (list $s3.credentialsKeys.accessKey $s3.credentialsKeys.secretKey) | toJson -}}
{{- end -}}
{{- end -}}

{{/* The directories that values name, {key: URI} as JSON. */}}
{{- define "flink.state.uris" -}}
{{- $uris := dict -}}
{{- with .Values.state.root }}{{ $_ := set $uris "state.root" . }}{{ end -}}
{{- range $part, $uri := .Values.state.folders -}}
{{- if $uri }}{{ $_ := set $uris (printf "state.folders.%s" $part) $uri }}{{ end -}}
{{- end -}}
{{- toJson $uris -}}
{{- end }}

{{/* Schemes of directories, and Flink's plugins for them, as JSON. */}}
{{- define "flink.state.schemes" -}}
{{- $schemes := dict "s3" "flink-s3-fs-hadoop" "s3a" "flink-s3-fs-hadoop" "s3p" "flink-s3-fs-presto"
      "gs" "flink-gs-fs-hadoop" "oss" "flink-oss-fs-hadoop" -}}
{{- range list "abfs" "abfss" "wasb" "wasbs" }}{{ $_ := set $schemes . "flink-azure-fs-hadoop" }}{{ end -}}
{{- toJson $schemes -}}
{{- end }}

{{/*
Plugins that are named, and those of the image for all directories, as a JSON list. With values of S3 its plugin is
there for jobs too.
*/}}
{{- define "flink.state.plugins" -}}
{{- $plugins := include "flink.state.schemes" . | fromJson -}}
{{- $wanted := .Values.flink.plugins -}}
{{- $uris := include "flink.state.uris" . | fromJson | values -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- range $key := list "execution.checkpointing.dir" "execution.checkpointing.savepoint-dir"
      "high-availability.storageDir" "jobmanager.archive.fs.dir" "historyserver.archive.fs.dir" -}}
{{- $uris = append $uris (get $given $key | default "") -}}
{{- end -}}
{{- range .Values.session.jobs }}{{ $uris = append $uris (.fromSavepoint | default "") }}{{ end -}}
{{- range $uri := append $uris .Values.job.fromSavepoint -}}
{{- with get $plugins (splitList "://" $uri | first) }}{{ $wanted = append $wanted . }}{{ end -}}
{{- end -}}
{{- $s3 := .Values.state.s3 -}}
{{- if and (or $s3.endpoint $s3.region $s3.credentialsSecret) (not (has "flink-s3-fs-presto" $wanted)) -}}
{{- $wanted = append $wanted "flink-s3-fs-hadoop" -}}
{{- end -}}
{{- $wanted | uniq | sortAlpha | toJson -}}
{{- end }}
