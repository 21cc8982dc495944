{{/*
A value that Kubernetes wants as text. A fraction is refused: 2.10 would have become 2.1: (dict "key" "..." "value").
*/}}
{{- define "flink.word" -}}
{{- if and (kindIs "float64" .value) (ne (floor .value) .value) -}}
{{- fail (printf "%s is %v, a number, of which digits may be lost: put it in quotes." .key .value) -}}
{{- end -}}
{{- if not (kindIs "invalid" .value) }}{{ include "flink.text" .value }}{{ end -}}
{{- end }}

{{/*
A map of texts, as YAML: (dict "key" "podLabels" "texts" <a map, or nothing>). Of labels, and of what selects them, the
values are as Kubernetes takes them.
*/}}
{{- define "flink.texts" -}}
{{- $labels := or (hasSuffix "abels" .key) (hasSuffix "nodeSelector" .key) -}}
{{- $result := dict -}}
{{- range $name, $value := .texts -}}
{{- if not (kindIs "invalid" $value) -}}
{{- $path := printf "%s.%s" $.key $name -}}
{{- $text := include "flink.word" (dict "key" $path "value" $value) -}}
{{- if and $labels (not (regexMatch "^([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?$" $text)) -}}
{{- fail (printf (cat "%s is %q, which Kubernetes does not take for a label: write at most 63 letters, digits, '-',"
      "'_' and '.', the first and the last one a letter or a digit.") $path $text) -}}
{{- end -}}
{{- $_ := set $result $name $text -}}
{{- end -}}
{{- end -}}
{{- toYaml $result -}}
{{- end }}
