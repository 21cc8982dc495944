{{/* Where certificates are from, and options of Flink that the chart writes for them. */}}
{{- define "flink.validate.tls" -}}
{{- $tls := .Values.tls -}}
{{- $written := include "flink.options.written" . | fromJson -}}
{{- range $part, $_ := include "flink.tls.secrets" . | fromJson -}}
{{- $enabled := printf "tls.%s.enabled is true, but" $part -}}
{{- range $name, $option := $written -}}
{{- $shared := regexMatch "^security\\.ssl\\.(key|trust)" $name -}}
{{- $stores := printf "^security\\.ssl\\.%s\\.(enabled|key|trust|authentication)" $part -}}
{{- if or $shared (regexMatch $stores $name) -}}
{{- fail (printf "%s %s, which the chart writes itself then: leave it out." $enabled
      (include "flink.options.called" (dict "name" $name "option" $option))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $tls.rest.hosts -}}
{{- $host := tpl . $ -}}
{{- $label := "[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?" -}}
{{- if not (regexMatch (printf "^([*][.])?(%s[.])*[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$" $label) $host) -}}
{{- fail (printf (cat "tls.rest.hosts has %q, which is no name of a host: write one without scheme, port and path, for"
      "example flink.example.com.") $host) -}}
{{- end -}}
{{- end -}}
{{- $issuer := $tls.certManager.issuerRef -}}
{{- if and $issuer $tls.selfSigned.enabled -}}
{{- fail (cat "tls.selfSigned.enabled is true beside tls.certManager.issuerRef, and both would make the certificates:"
      "leave one of them out.") -}}
{{- end -}}
{{- range $part, $_ := include "flink.tls.made" . | fromJson -}}
{{- if not (or $issuer $tls.selfSigned.enabled) -}}
{{- fail (printf (cat "tls.%s.enabled is true, but nothing says where its certificate is from: set tls.%s.secretName,"
      "tls.certManager.issuerRef, or for a trial tls.selfSigned.enabled=true.") $part $part) -}}
{{- end -}}
{{- end -}}
{{- include "flink.validate.api" (dict "root" . "key" "tls.certManager.issuerRef" "on" $issuer
      "api" "cert-manager.io/v1/Certificate" "remedy" "install cert-manager first, or name a Secret instead") -}}
{{- if and $tls.rest.clientCertificates (not $tls.rest.enabled) (not $tls.rest.secretName) -}}
{{- fail (cat "tls.rest.clientCertificates is true, but tls.rest.enabled is false, and plain HTTP knows no"
      "certificates: set tls.rest.enabled=true, or leave it out.") -}}
{{- end -}}
{{- end }}
