{{/* A login that would let in nobody, or more people than somebody thinks. */}}
{{- define "flink.validate.auth" -}}
{{- $auth := .Values.auth -}}
{{- $oidc := $auth.oidc -}}
{{- $people := concat $oidc.allowedGroups $oidc.allowedEmails -}}
{{- $given := dict "auth.basic.secret" $auth.basic.secret -}}
{{- $required := list "auth.basic.secret" -}}
{{- range $key := list "publicUrl" "issuer" "clientId" "secret" -}}
{{- $required = append $required (printf "auth.oidc.%s" $key) -}}
{{- end -}}
{{- range $key, $value := omit $oidc "image" "resources" -}}
{{- $_ := set $given (printf "auth.oidc.%s" $key) $value -}}
{{- end -}}
{{- range $key, $value := $given -}}
{{- $type := (splitList "." $key | rest | first) -}}
{{- if and $value (eq $auth.type "none") -}}
{{- fail (printf (cat "%s is set, but auth.type is none, so that nobody is asked who they are: set auth.type=%s, or"
      "leave it out.") $key $type) -}}
{{- else if and (eq $type $auth.type) (not $value) (has $key $required) -}}
{{- fail (printf "auth.type is %s, but %s is empty: write it." $type $key) -}}
{{- end -}}
{{- end -}}
{{- if eq $auth.type "oidc" -}}
{{- if not $people -}}
{{- fail (cat "auth.type is oidc, but neither auth.oidc.allowedGroups nor auth.oidc.allowedEmails names anybody: write"
      "who is let in, or auth.oidc.allowedEmails=[\"*\"] for whomever the provider knows.") -}}
{{- end -}}
{{- range $oidc.args -}}
{{- if regexMatch "^--([a-z-]*(secret|password|(jwt|signature)-key)=|[a-z-]+=[a-z]+://[^/]*:[^/]*@)" . -}}
{{- fail (printf (cat "auth.oidc.args has %s, and arguments are shown to whoever sees the pod: put it into the"
      "Secret of auth.oidc.secret, or name a file.") (splitList "=" . | first)) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.egress.oidc) -}}
{{- fail (printf (cat "auth.oidc.issuer is %s, but networkPolicy.egress.oidc is empty, so that the proxy does not reach"
      "it: write a rule, for example {to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 443}]}.") $oidc.issuer) -}}
{{- end -}}
{{- end -}}
{{- end }}
