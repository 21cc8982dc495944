{{/*
Every file begins with it, because all read the same values and Helm does not say which it renders first: what is empty
gets its default, and what cannot work is refused, once.
*/}}
{{- define "flink.begin" -}}
{{- /* By the revision, because older Helms store what templates set among the values. */ -}}
{{- if ne (toString (get .Values "x-begun")) (toString .Release.Revision) -}}
{{- include "flink.defaults" . -}}
{{- $_ := set .Values "x-begun" .Release.Revision -}}
{{- /* Without repeated slashes and one at its end: paths below it are compared as texts. */ -}}
{{- $_ := set .Values.storage "mountPath" (clean .Values.storage.mountPath) -}}
{{- include "flink.validate" . -}}
{{- end -}}
{{- end }}

{{/*
Gives each value that is not there its default of values.yaml: one that was left empty, and one that is new to values
kept from an older chart (--reuse-values). defaults.json is written by `make docs`.
*/}}
{{- define "flink.defaults" -}}
{{- include "flink.takeBack" .Values -}}
{{- range $path, $default := .Files.Get "defaults.json" | fromJson -}}
{{- $words := splitList "." $path -}}
{{- $node := $.Values -}}
{{- range initial $words -}}
{{- if not (kindIs "map" (get $node .)) }}{{ $_ := set $node . dict }}{{ end -}}
{{- $node = get $node . -}}
{{- end -}}
{{- $name := last $words -}}
{{- if not (hasKey $node $name) }}{{ $_ := set $node $name $default }}{{ end -}}
{{- end -}}
{{- end }}

{{/*
Takes out of maps, at any depth, what is null, as Helm does where values.yaml has the name: a values file takes back by
it what another one has set, be it an option or a label. Among these fields of Kubernetes a null takes away what the
chart has set.
*/}}
{{- define "flink.takeBack" -}}
{{- $map := kindIs "map" . -}}
{{- if or $map (kindIs "slice" .) -}}
{{- range $key, $value := . -}}
{{- if and $map (kindIs "invalid" $value) -}}
{{- $_ := unset $ $key -}}
{{- else if not (has $key (list "podSecurityContext" "securityContext" "podSpec" "extraObjects" "global")) -}}
{{- include "flink.takeBack" $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
