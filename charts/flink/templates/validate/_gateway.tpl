{{/* What an HTTPRoute cannot be. */}}
{{- define "flink.validate.gateway" -}}
{{- $gateway := .Values.gateway -}}
{{- if $gateway.parentRefs -}}
{{- $rendered := tpl (toYaml $gateway) . | fromYaml -}}
{{- if hasKey $rendered "Error" -}}
{{- fail (printf (cat "gateway holds a template that gives no YAML: put what it is in, or what it gives, in quotes: %s")
      $rendered.Error) -}}
{{- end -}}
{{- $plain := regexMatch "^/([-_.~a-zA-Z0-9]+/?)*$" $rendered.path -}}
{{- if or (not $plain) (regexMatch "/[.][.]?(/|$)" $rendered.path) -}}
{{- fail (printf (cat "gateway.path is %q, which is no plain path: write one that begins with a slash, for example"
      "/flink.") $rendered.path) -}}
{{- end -}}
{{- else if or $gateway.hostnames $gateway.annotations $gateway.caConfigMap (ne $gateway.path "/") -}}
{{- fail (cat "gateway is set, but gateway.parentRefs is empty, so that there is no HTTPRoute: name a Gateway, for"
      "example [{name: web, namespace: gateways}], or leave the others out.") -}}
{{- end -}}
{{- $remedy := "install the custom resource definitions of the Gateway API first, or set ingress.enabled=true" -}}
{{- include "flink.validate.api" (dict "root" . "key" "gateway.parentRefs" "on" $gateway.parentRefs
      "api" "gateway.networking.k8s.io/v1/HTTPRoute" "remedy" $remedy) -}}
{{- if and $gateway.caConfigMap (not .Values.tls.rest.enabled) -}}
{{- fail (cat "gateway.caConfigMap is set, but tls.rest.enabled is false, so that there is no certificate to look at:"
      "set tls.rest.enabled=true, or leave the ConfigMap out.") -}}
{{- end -}}
{{- include "flink.validate.api" (dict "root" . "key" "gateway.caConfigMap" "on" $gateway.caConfigMap
      "api" (printf "%s/BackendTLSPolicy" (include "flink.gateway.policyVersion" .))
      "remedy" "install those of the Gateway API 1.4 or newer, or leave the ConfigMap out") -}}
{{- end }}
