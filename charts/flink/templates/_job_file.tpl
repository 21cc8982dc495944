{{/* Path in the JobManager's pod of the file that a value of the job names; one of a URL is fetched there. */}}
{{- define "flink.job.path" -}}
{{- $path := include "flink.files.path" . -}}
{{- if contains "://" $path }}/opt/flink/artifact/{{ (urlParse $path).path | base }}{{ else }}{{ $path }}{{ end -}}
{{- end }}

{{/* What of `job` is its program: jar, sql or python. */}}
{{- define "flink.job.kind" -}}
{{- $job := .Values.job -}}
{{- if or $job.jar.file $job.jar.entryClass }}jar{{ else if $job.sql.file }}sql{{ else }}python{{ end -}}
{{- end }}

{{/* The file that is fetched from a URL, as JSON: {url, sha256}; empty if there is none. */}}
{{- define "flink.job.download" -}}
{{- $program := get .Values.job (include "flink.job.kind" .) -}}
{{- $download := dict -}}
{{- if and (eq .Values.flink.type "job") (contains "://" (include "flink.files.path" $program.file)) -}}
{{- $download = dict "url" $program.file "sha256" $program.sha256 -}}
{{- end -}}
{{- toJson $download -}}
{{- end }}

{{/* What of the JobManager's pod fetches it, with the code of the hooks. */}}
{{- define "flink.job.downloaded" -}}
{{- $download := include "flink.job.download" . | fromJson -}}
initContainers:
  - name: download
    image: {{ include "flink.hooks.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    command: [python3, -B, -m, hooks.download, {{ $download.url | quote }}, {{ $download.sha256 | quote }}, {{ include "flink.job.path" $download.url | quote }}]
    workingDir: /
    resources:
      requests: {cpu: 50m, memory: 64Mi}
      limits: {memory: 64Mi}
    securityContext:
      {{- toYaml .Values.securityContext | nindent 6 }}
    volumeMounts:
      - {name: scripts, mountPath: /hooks, readOnly: true}
      - {name: artifact, mountPath: /opt/flink/artifact}
volumes:
  - name: artifact
    emptyDir: {}
volumeMounts:
  - {name: artifact, mountPath: /opt/flink/artifact, readOnly: true}
{{- end }}

{{- define "flink.validate.job.file" -}}
{{- range $kind := list "python" "jar" "sql" -}}
{{- $program := get $.Values.job $kind -}}
{{- $key := printf "job.%s.file" $kind -}}
{{- include "flink.validate.program" (dict "root" $ "who" $key "key" $key "file" $program.file "sha256" $program.sha256
      "sum" (printf "job.%s.sha256" $kind)) -}}
{{- end -}}
{{- if include "flink.job.download" . | fromJson -}}
{{- range $list, $name := dict "extraVolumes" "artifact" "initContainers" "download" -}}
{{- range get $.Values.jobmanager $list -}}
{{- if eq .name $name -}}
{{- fail (printf "jobmanager.%s has %s, which the chart sets itself for a job's file from a URL: give yours another name." $list $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Variables of Secrets in the job's arguments that Flink itself writes into its log, as a JSON list. It keeps back words in which it sees the
name of a secret, but not in native mode, where the arguments are one of its options.
*/}}
{{- define "flink.job.logged" -}}
{{- $logged := list -}}
{{- if eq .Values.flink.type "job" -}}
{{- range $variable := .Values.jobmanager.extraEnv -}}
{{- if dig "valueFrom" "secretKeyRef" dict $variable -}}
{{- $used := printf "$(%s)" $variable.name -}}
{{- range $arg := $.Values.job.args -}}
{{- $hidden := and (ne $.Values.flink.mode "native") (include "flink.secrets.holds" (dict "root" $ "key" (toString $arg | replace $used "") "value" "")) -}}
{{- if and (contains $used (toString $arg)) (not $hidden) }}{{ $logged = append $logged $used }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $logged | uniq | toJson -}}
{{- end }}
