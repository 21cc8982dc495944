{{/*
Certificates. What runs Flink makes its key stores of them in the part "secrets"; what asks REST, as probes and hooks
do, reads them as they are. A hook says itself that a Secret is not there; the one before a job is stopped looks at all.
*/}}
{{- define "flink.part.tls" -}}
{{- $root := .root -}}
{{- $process := has "secrets" .parts -}}
{{- $secrets := include "flink.tls.mounted" $root | fromJson -}}
{{- $hook := eq .component "hooks" -}}
{{- $before := and $hook (hasPrefix "before" .name) (ne .name "before-uninstall") -}}
{{- if not (or $process $before) }}{{ $secrets = omit $secrets "internal" }}{{ end -}}
{{- if not (or $process $hook) }}{{ $secrets = pick $secrets "rest" }}{{ end -}}
{{- with include "flink.tls.hooksSecret" $root }}{{ if $hook }}{{ $_ := set $secrets "rest" . }}{{ end }}{{ end -}}
{{- $rotation := include "flink.text" $root.Values.tls.rotation -}}
{{- $reads := or $process (eq .component "ui-proxy") -}}
{{- if and $secrets $reads $rotation -}}
annotations:
  checksum/tls: {{ sha256sum $rotation }}
{{ end -}}
{{- $asks := has .component (list "ui-proxy" "test") -}}
{{- $shows := or (not $asks) $root.Values.tls.rest.clientCertificates -}}
{{- $keys := ternary (list "ca.crt" "tls.crt" "tls.key") (list "ca.crt") $shows -}}
{{- with $secrets -}}
volumes:
  {{- range $part, $secret := . }}
  - name: tls-{{ $part }}
    secret:
      secretName: {{ $secret | quote }}
      {{- if $hook }}
      optional: true
      {{- end }}
      items:
        {{- range $keys }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
  {{- end }}
{{- with ternary (pick . "rest") . $process }}
volumeMounts:
  {{- range $part, $_ := . }}
  - {name: tls-{{ $part }}, mountPath: /opt/flink/tls/{{ $part }}, readOnly: true}
  {{- end }}
{{- end }}
{{- end -}}
{{- end }}
