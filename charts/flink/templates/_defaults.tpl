{{/*
Every file begins with it, because all read the same values and Helm does not say which it renders first: what is empty
gets its default, and what cannot work is refused, once.
*/}}
{{- define "flink.begin" -}}
{{- /* By the revision, because older Helms store what templates set among the values. */ -}}
{{- if ne (toString (get .Values "x-begun")) (toString .Release.Revision) -}}
{{- include "flink.defaults" . -}}
{{- $_ := set .Values "x-begun" .Release.Revision -}}
{{- include "flink.validate" . -}}
{{- end -}}
{{- end }}

{{/*
Gives each value that is not there its default of values.yaml: one that was left empty, which Helm takes out, and one
that is new to values kept from an older chart (--reuse-values). defaults.json is written by `make docs`.
*/}}
{{- define "flink.defaults" -}}
{{- range $path, $default := .Files.Get "defaults.json" | fromJson -}}
{{- $words := splitList "." $path -}}
{{- $node := $.Values -}}
{{- range initial $words -}}
{{- if not (kindIs "map" (get $node .)) }}{{ $_ := set $node . dict }}{{ end -}}
{{- $node = get $node . -}}
{{- end -}}
{{- $name := last $words -}}
{{- if or (not (hasKey $node $name)) (kindIs "invalid" (get $node $name)) -}}
{{- $_ := set $node $name $default -}}
{{- end -}}
{{- end -}}
{{- end }}
