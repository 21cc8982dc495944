{{/* Whether people come through a proxy to the UI, instead of to the JobManager itself. */}}
{{- define "flink.uiProxy" -}}
{{- if or .Values.rest.readOnly (ne .Values.auth.type "none") }}true{{ end -}}
{{- end }}
{{- define "flink.uiProxy.name" -}}{{ include "flink.fullname" . }}-ui-proxy{{- end }}

{{/* The Service by which people come to the UI, as YAML. */}}
{{- define "flink.ui.service" -}}
{{- if include "flink.uiProxy" . -}}
{name: {{ include "flink.uiProxy.name" . }}, portName: http, port: 8080}
{{- else -}}
{name: {{ include "flink.rest.name" . }}, portName: rest, port: {{ .Values.rest.port }}}
{{- end -}}
{{- end }}

{{- define "flink.uiProxy.container" -}}
command: [nginx, -e, stderr, -c, /etc/ui-proxy/nginx.conf]
ports:
  - {name: http, containerPort: 8080}
startupProbe:
  tcpSocket: {port: http}
  periodSeconds: 2
  failureThreshold: 90
readinessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
livenessProbe:
  tcpSocket: {port: http}
  periodSeconds: 10
  failureThreshold: 6
{{- end }}

{{/* Its configuration, whom it lets in, and, for a login by a provider, who asks that one. */}}
{{- define "flink.part.uiProxy" -}}
{{- $auth := .root.Values.auth -}}
{{- $secrets := dict "basic" (list "auth") "oidc" (list "client-secret" "cookie-secret") -}}
{{- $login := get $secrets $auth.type -}}
annotations:
  checksum/config: {{ include "flink.uiProxy.data" .root | sha256sum | trunc 16 }}
volumes:
  - name: config
    configMap: {name: {{ include "flink.uiProxy.name" .root }}}
  - {{ merge (dict "name" "tmp") (.values.scratch | default (dict "emptyDir" dict)) | toYaml | nindent 4 | trim }}
  {{- with $login }}
  - name: login
    secret:
      secretName: {{ tpl (get $auth $auth.type).secret $.root | quote }}
      items:
        {{- range . }}
        - {key: {{ . }}, path: {{ . }}}
        {{- end }}
  {{- end }}
  {{- if and (eq $auth.type "oidc") $auth.oidc.caConfigMap }}
  - name: ca
    configMap: {name: {{ tpl $auth.oidc.caConfigMap .root | quote }}}
  {{- end }}
volumeMounts:
  - {name: config, mountPath: /etc/ui-proxy, readOnly: true}
  - {name: tmp, mountPath: /tmp}
  {{- if eq $auth.type "basic" }}
  - {name: login, mountPath: /etc/ui-proxy-login, readOnly: true}
  {{- end }}
{{- if eq $auth.type "oidc" }}
containers:
  - name: oauth2-proxy
    image: {{ include "flink.image.of" (dict "root" .root "name" $auth.oidc.image) | quote }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    args:
      {{- include "flink.uiProxy.oidc" .root | nindent 6 }}
    resources:
      {{- include "flink.resources" $auth.oidc.resources | nindent 6 }}
    securityContext:
      {{- include "flink.over" (list .root.Values.securityContext .values.securityContext) | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: /etc/ui-proxy, readOnly: true}
      - {name: login, mountPath: /etc/ui-proxy-login, readOnly: true}
      {{- if $auth.oidc.caConfigMap }}
      - {name: ca, mountPath: /etc/ui-proxy-ca, readOnly: true}
      {{- end }}
{{- end }}
{{- end }}
