{{/*
A value that Kubernetes wants as text. A fraction is refused: 2.10 would have become 2.1: (dict "key" "..." "value").
*/}}
{{- define "flink.word" -}}
{{- if and (kindIs "float64" .value) (ne (floor .value) .value) -}}
{{- fail (printf "%s is %v, a number, of which digits may be lost: put it in quotes." .key .value) -}}
{{- end -}}
{{- if not (kindIs "invalid" .value) }}{{ include "flink.text" .value }}{{ end -}}
{{- end }}

{{/* A map of texts, as YAML: (dict "key" "podLabels" "texts" <a map, or nothing>). */}}
{{- define "flink.texts" -}}
{{- $result := dict -}}
{{- range $name, $value := .texts -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $_ := set $result $name (include "flink.word" (dict "key" (printf "%s.%s" $.key $name) "value" $value)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $result -}}
{{- end }}
