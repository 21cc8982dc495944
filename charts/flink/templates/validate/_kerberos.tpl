{{/* A login that Flink could not make, or would be told of twice. */}}
{{- define "flink.validate.kerberos" -}}
{{- $kerberos := .Values.kerberos -}}
{{- if or $kerberos.principal $kerberos.keytabSecret -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- if has $name (list "security.kerberos.login.principal" "security.kerberos.login.keytab") -}}
{{- fail (printf "%s, but kerberos.%s is set: leave one of them out." (include "flink.options.called"
      (dict "name" $name "option" $option)) (ternary "principal" "keytabSecret" (not (empty $kerberos.principal)))) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and $kerberos.principal (not $kerberos.keytabSecret) -}}
{{- fail (cat
      "kerberos.principal is set, but no keytab is named by which it logs in: set kerberos.keytabSecret to a Secret"
      "that has one as `keytab`.") -}}
{{- end -}}
{{- if and $kerberos.keytabSecret (not $kerberos.principal) -}}
{{- fail (cat
      "kerberos.keytabSecret is set, but nobody is named who logs in by it: set kerberos.principal, for example"
      "flink@EXAMPLE.COM.") -}}
{{- end -}}
{{- end }}
