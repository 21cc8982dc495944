{{/* Where levels and the layout are written to. */}}
{{- define "flink.validate.logging" -}}
{{- range $key := list "log4jConsole" "logbackConsole" "log4jCli" -}}
{{- with regexFind "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x{feff}]" (get $.Values.logging $key) -}}
{{- fail (printf "logging.%s has the character %+q, which a block of YAML does not take: leave it out." $key .) -}}
{{- end -}}
{{- end -}}
{{- $console := "(?m)^ *appender\\.console\\.layout\\.type *= *PatternLayout *$" -}}
{{- if and (eq .Values.logging.format "json") (not (regexMatch $console .Values.logging.log4jConsole)) -}}
{{- fail (cat "logging.format is json, but logging.log4jConsole has no appender called console with a PatternLayout,"
      "which it would change: write JSON in a layout of your own and leave logging.format out, or call the appender"
      "console.") -}}
{{- end -}}
{{- if and .Values.logging.loggers (not (contains "</configuration>" .Values.logging.logbackConsole)) -}}
{{- fail (cat "logging.loggers is set, but logging.logbackConsole has no </configuration>, before which their levels"
      "are written: write it as <configuration>...</configuration>.") -}}
{{- end -}}
{{- end }}

{{/* The small files of the values. */}}
{{- define "flink.validate.files" -}}
{{- $bytes := len (toJson .Values.files) -}}
{{- if gt $bytes 1000000 -}}
{{- fail (printf (cat "files hold %d bytes, and a ConfigMap takes 1 MiB: put larger ones into the image, on the claim,"
      "or behind a URL.") $bytes) -}}
{{- end -}}
{{- range $name, $_ := .Values.files -}}
{{- if not (regexMatch "^[-._a-zA-Z0-9]+$" $name) -}}
{{- fail (printf (cat
      "files has %q, which is no name of a file: write letters, digits, hyphens, dots and underscores, for example"
      "job.py.") $name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The files that `job` names. */}}
{{- define "flink.validate.job.file" -}}
{{- range $kind := list "python" "jar" "sql" -}}
{{- $program := get (include "flink.job" $ | fromJson) $kind -}}
{{- $key := printf "job.%s.file" $kind -}}
{{- include "flink.validate.program" (dict "root" $ "who" $key "key" $key "file" $program.file
      "sha256" $program.sha256 "checksum" (printf "job.%s.sha256" $kind)) -}}
{{- end -}}
{{- end }}

{{/*
A file of a job that a value names, and its SHA-256: (dict "root" $ "who" <subject of the sentences> "key" <name of the
value> "file" "..." "sha256" "..." "checksum" <name of the value for it>).
*/}}
{{- define "flink.validate.program" -}}
{{- $file := include "flink.files.path" .file -}}
{{- if contains "://" $file -}}
{{- if regexMatch "://[^/]*@" $file -}}
{{- fail (printf (cat
      "%s has a URL with a user or a password, which all who see the release could read, and which is not sent: serve"
      "the file without, or put it into the image or on the claim.") .who) -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/]+/.*[^/]$" $file) -}}
{{- fail (printf "%s has the URL %q: write one of http or https that ends with the name of a file." .who $file) -}}
{{- end -}}
{{- if not (regexMatch "^[0-9a-f]{64}$" (.sha256 | default "")) -}}
{{- fail (printf (cat
      "%s is fetched from a URL, and nobody could tell whether it is the right file: write its SHA-256 beside"
      "it, %s, 64 hexadecimal digits, as `sha256sum` prints it.") .who .checksum) -}}
{{- end -}}
{{- else -}}
{{- if .sha256 -}}
{{- fail (printf "%s has a sha256, but its file is no URL, and nothing would look at it: leave it out." .who) -}}
{{- end -}}
{{- include "flink.validate.file" . -}}
{{- end -}}
{{- end }}

{{/*
A file that a value names has to be one of `files`, or a path: (dict "root" $ "key" "job.python.file" "file" "...").
*/}}
{{- define "flink.validate.file" -}}
{{- $known := hasKey .root.Values.files .file -}}
{{- if and .file (not $known) (not (hasPrefix "/" (trimPrefix "local://" .file))) -}}
{{- fail (printf (cat
      "%s is %q, which is neither in files nor a path: add it to files, or write an absolute path in the image, for"
      "example /opt/flink/usrlib/%s.") .key .file (base .file)) -}}
{{- end -}}
{{- end }}
