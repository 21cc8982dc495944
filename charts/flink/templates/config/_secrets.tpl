{{/*
Whether an option's value is a secret, by Flink's own rule and for the keys of S3: (dict "root" $ "key" "..." "value"
<as written>).
*/}}
{{- define "flink.secrets.holds" -}}
{{- $key := lower .key -}}
{{- $secret := regexMatch "(access|secret|private|account)[.-]key(\\.|$)" $key -}}
{{- range (.root.Files.Get "files/options/names.json" | fromJson).sensitive -}}
{{- if contains . $key }}{{ $secret = true }}{{ end -}}
{{- end -}}
{{- /* Flink's rule is about parts of names: these tell where a secret is, or how tokens are renewed. */ -}}
{{- $names := regexMatch "^(kubernetes\\.|security\\.(delegation|kerberos)\\.)" $key -}}
{{- $file := and (regexMatch "[.-](file|path)(\\.|$)" $key) (hasPrefix "/" (toString .value)) -}}
{{- if and $secret (not $names) (not $file) (not (has (toString .value) (list "true" "false"))) }}true{{ end -}}
{{- end }}

{{/* Whether the pods write Flink's configuration themselves, because some of it is in Secrets. */}}
{{- define "flink.secrets.used" -}}
{{- if or .Values.flink.configFrom (include "flink.tls.mounted" . | fromJson) }}true{{ end -}}
{{- end }}

{{/* The options of flink.configFrom, by the names of today, as JSON: name -> secretKeyRef. */}}
{{- define "flink.secrets.options" -}}
{{- $options := dict -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- with $option.secret }}{{ $_ := set $options $name . }}{{ end -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}
