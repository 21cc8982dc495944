{{/* `job` with the names of its files rendered, as JSON. */}}
{{- define "flink.job" -}}
{{- include "flink.job.rendered" (dict "root" . "job" .Values.job) -}}
{{- end }}

{{/* The same of any job: (dict "root" $ "job" <a map>). */}}
{{- define "flink.job.rendered" -}}
{{- $job := deepCopy .job -}}
{{- range $kind := list "jar" "python" "sql" -}}
{{- with dig $kind "file" "" $job }}{{ $_ := set (get $job $kind) "file" (tpl . $.root) }}{{ end -}}
{{- end -}}
{{- toJson $job -}}
{{- end }}

{{/* Path in the JobManager's pod of the file that a value of the job names; one of a URL is fetched there. */}}
{{- define "flink.job.path" -}}
{{- $path := include "flink.files.path" . -}}
{{- if contains "://" $path }}/opt/flink/artifact/{{ (urlParse $path).path | base }}{{ else }}{{ $path }}{{ end -}}
{{- end }}

{{/* What of `job` is its program: jar, sql or python. */}}
{{- define "flink.job.kind" -}}
{{- $job := include "flink.job" . | fromJson -}}
{{- if or $job.jar.file $job.jar.entryClass }}jar{{ else if $job.sql.file }}sql{{ else }}python{{ end -}}
{{- end }}

{{/* The file that is fetched from a URL, as JSON: {url, sha256}; empty if there is none. */}}
{{- define "flink.job.download" -}}
{{- $program := get (include "flink.job" . | fromJson) (include "flink.job.kind" .) -}}
{{- $download := dict -}}
{{- if and (eq .Values.flink.type "job") (contains "://" (include "flink.files.path" $program.file)) -}}
{{- $download = dict "url" $program.file "sha256" $program.sha256 -}}
{{- end -}}
{{- toJson $download -}}
{{- end }}

{{/*
What the job needs and Flink's own image, if the name of the image says that it is that one, does not hold: a sentence,
or nothing. A name can deceive, so nothing is refused.
*/}}
{{- define "flink.job.missing" -}}
{{- $image := include "flink.image" . -}}
{{- $release := "[0-9]+\\.[0-9.]+(-scala_[0-9.]+)?" -}}
{{- $published := printf "(^|/)flink:%s-java[0-9]+$|^(docker\\.io/)?((library|apache)/)?flink:(latest|%s)$" $release
      $release -}}
{{- $python := false -}}
{{- range ternary .Values.session.jobs list (eq .Values.flink.type "session") -}}
{{- if .python }}{{ $python = .name }}{{ end -}}
{{- end -}}
{{- if and $python (regexMatch $published $image) -}}
{{- printf (cat "Flink's own image, %s, holds no Python, which the job %s of session.jobs needs: set image.repository"
      "and image.tag to one that holds Flink and Python.") $image $python -}}
{{- end -}}
{{- if and (eq .Values.flink.type "job") (regexMatch $published $image) -}}
{{- $kind := include "flink.job.kind" . -}}
{{- $file := include "flink.files.path" (get (include "flink.job" . | fromJson) $kind).file -}}
{{- $mounted := contains "://" $file -}}
{{- $pod := include "flink.jobmanager.pod" (dict "root" . "specification" "") | fromYaml -}}
{{- range (first $pod.spec.containers).volumeMounts -}}
{{- if hasPrefix (printf "%s/" (trimSuffix "/" .mountPath)) $file }}{{ $mounted = true }}{{ end -}}
{{- end -}}
{{- if eq $kind "python" -}}
{{- printf (cat "Flink's own image, %s, holds no Python, which job.python.file needs: set image.repository and"
      "image.tag to one that holds Flink, Python and the job.") $image -}}
{{- else if not (or $mounted (not $file) (regexMatch "^/opt/flink/(examples|lib|opt)/" $file)) -}}
{{- printf (cat "Flink's own image, %s, holds no %s, which job.%s.file names: set image.repository and image.tag to one"
      "that does, or name a URL, or a path on a volume.") $image $file $kind -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Variables of Secrets in the job's arguments that Flink itself writes into its log, as a JSON list. It keeps back words
in which it sees the name of a secret, but not in native mode, where the arguments are one of its options.
*/}}
{{- define "flink.job.logged" -}}
{{- $logged := list -}}
{{- $native := eq .Values.flink.mode "native" -}}
{{- range $variable := ternary .Values.jobmanager.extraEnv list (eq .Values.flink.type "job") -}}
{{- if (($variable.valueFrom).secretKeyRef) -}}
{{- $used := printf "$(%s)" $variable.name -}}
{{- range $arg := $.Values.job.args -}}
{{- $word := toString $arg | replace $used "" -}}
{{- $hidden := and (not $native) (include "flink.secrets.holds" (dict "root" $ "key" $word "value" "")) -}}
{{- if and (contains $used (toString $arg)) (not $hidden) }}{{ $logged = append $logged $used }}{{ end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $logged | uniq | toJson -}}
{{- end }}
