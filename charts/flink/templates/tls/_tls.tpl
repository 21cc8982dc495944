{{/* The parts of Flink that speak TLS, internal and rest, and the Secret with the certificate of each, as JSON. */}}
{{- define "flink.tls.secrets" -}}
{{- $secrets := dict -}}
{{- range $part := list "internal" "rest" -}}
{{- $tls := get $.Values.tls $part -}}
{{- if $tls.enabled -}}
{{- $made := printf "%s-%s-tls" (include "flink.fullname" $) $part -}}
{{- $_ := set $secrets $part (tpl $tls.secretName $ | default $made) -}}
{{- end -}}
{{- end -}}
{{- toJson $secrets -}}
{{- end }}

{{/* Those of them of which the values name no Secret, so that the chart has it made. */}}
{{- define "flink.tls.made" -}}
{{- $made := dict -}}
{{- range $part, $secret := include "flink.tls.secrets" . | fromJson -}}
{{- if not (get $.Values.tls $part).secretName }}{{ $_ := set $made $part $secret }}{{ end -}}
{{- end -}}
{{- toJson $made -}}
{{- end }}

{{/* The Secrets of Flink's parts, and that of ZooKeeper's clients, as JSON. */}}
{{- define "flink.tls.mounted" -}}
{{- $secrets := include "flink.tls.secrets" . | fromJson -}}
{{- with include "flink.zookeeper.secret" . }}{{ $_ := set $secrets "zookeeper" . }}{{ end -}}
{{- toJson $secrets -}}
{{- end }}

{{/*
Names in a certificate that the chart has made, as a JSON list; of internal nobody looks at them: (dict "root" $ "part"
"rest").
*/}}
{{- define "flink.tls.names" -}}
{{- $root := .root -}}
{{- $name := include "flink.fullname" $root -}}
{{- $names := list -}}
{{- if eq .part "internal" -}}
{{- $names = list (include "flink.jobmanager.name" $root) -}}
{{- else -}}
{{- range list "rest" "sql-gateway" "history-server" -}}
{{- $service := printf "%s-%s" $name . -}}
{{- $within := printf "%s.%s" $service $root.Release.Namespace -}}
{{- $names = concat $names (list $service $within (printf "%s.svc" $within)) -}}
{{- end -}}
{{- $names = append $names "localhost" -}}
{{- range $root.Values.tls.rest.hosts }}{{ $names = append $names (tpl . $root) }}{{ end -}}
{{- end -}}
{{- toJson (uniq $names) -}}
{{- end }}

{{/* Whether a hook makes certificates. */}}
{{- define "flink.tls.selfSigned" -}}
{{- if and .Values.tls.selfSigned.enabled (include "flink.tls.made" . | fromJson) }}true{{ end -}}
{{- end }}

{{- define "flink.tls.account" -}}
{{ .Values.hooks.serviceAccountName | default (printf "%s-certificates" (include "flink.fullname" .)) }}
{{- end }}

{{/*
The Secret with which hooks ask REST. A revision that has switched TLS off asks the one before it, which still speaks
it, with the Secret that its values name.
*/}}
{{- define "flink.tls.hooksSecret" -}}
{{- get (include "flink.tls.secrets" . | fromJson) "rest" | default (tpl .Values.tls.rest.secretName .) -}}
{{- end }}

{{/* What pods show each other, as the hooks look at it before they stop a job for it, as a JSON list. */}}
{{- define "flink.tls.coming" -}}
{{- $certificates := list -}}
{{- range $part, $secret := include "flink.tls.secrets" . | fromJson -}}
{{- $rest := eq $part "rest" -}}
{{- $certificates = append $certificates (dict "part" $part "secret" $secret
      "host" (ternary (include "flink.rest.name" $) "" $rest)
      "clients" (or (not $rest) $.Values.tls.rest.clientCertificates)) -}}
{{- end -}}
{{- toJson $certificates -}}
{{- end }}

{{- define "flink.rest.scheme" -}}
{{ ternary "https" "http" .Values.tls.rest.enabled }}
{{- end }}

{{/* The URL of the REST API inside of the cluster. */}}
{{- define "flink.rest.url" -}}
{{ include "flink.rest.scheme" . }}://{{ include "flink.rest.name" . }}:{{ include "flink.text" .Values.rest.port }}
{{- end }}

{{/*
Flink's options for TLS, as JSON; configure.sh adds the passwords. Flink's own suites are without forward secrecy, and
newer clients refuse them.
*/}}
{{- define "flink.tls.options" -}}
{{- $options := dict -}}
{{- range $part, $_ := include "flink.tls.secrets" . | fromJson -}}
{{- $_ := set $options "security.ssl.algorithms" (join "," (list
      "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
      "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384" "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")) -}}
{{- $_ := set $options (printf "security.ssl.%s.enabled" $part) "true" -}}
{{- range list "keystore" "truststore" -}}
{{- $_ := set $options (printf "security.ssl.%s.%s" $part .) (printf "/opt/flink/conf/%s-%s.p12" $part .) -}}
{{- end -}}
{{- end -}}
{{- if .Values.tls.rest.enabled -}}
{{- if .Values.tls.rest.clientCertificates -}}
{{- $_ := set $options "security.ssl.rest.authentication-enabled" "true" -}}
{{- end -}}
{{- if .Values.historyServer.enabled }}{{ $_ := set $options "historyserver.web.ssl.enabled" "true" }}{{ end -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/* How the kubelet asks a server of REST: (dict "root" $ "path" "/config" "port" 8081 "name" <of that port>). */}}
{{- define "flink.tls.probe" -}}
{{- $rest := .root.Values.tls.rest -}}
{{- if and $rest.enabled $rest.clientCertificates -}}
exec: {command: [bash, /opt/flink/scripts/rest.sh, probe, {{ include "flink.text" .port | quote }}, {{ .path }}]}
{{- else -}}
httpGet: {path: {{ .path }}, port: {{ .name }}{{ if $rest.enabled }}, scheme: HTTPS{{ end }}}
{{- end -}}
{{- end }}

{{/* Annotations by which ingress-nginx speaks to REST, and shows the certificate of the Secret, as JSON. */}}
{{- define "flink.tls.ingress" -}}
{{- $annotations := dict -}}
{{- if and .Values.tls.rest.enabled (eq .Values.ingress.rewrite "nginx") (not (include "flink.uiProxy" .)) -}}
{{- $secret := printf "%s/%s" .Release.Namespace (include "flink.tls.hooksSecret" .) -}}
{{- range $name, $value := dict "backend-protocol" "HTTPS" "proxy-ssl-secret" $secret "proxy-ssl-verify" "on"
      "proxy-ssl-name" (include "flink.rest.name" .) "proxy-ssl-server-name" "on" -}}
{{- $_ := set $annotations (printf "nginx.ingress.kubernetes.io/%s" $name) $value -}}
{{- end -}}
{{- end -}}
{{- toJson $annotations -}}
{{- end }}
