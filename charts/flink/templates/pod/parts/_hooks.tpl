{{/* The program of the hooks: (the context of flink.pod, with "scripts" <the ConfigMap that holds it>). */}}
{{- define "flink.part.hooks" -}}
volumes:
  - name: hooks
    configMap: {name: {{ .scripts }}}
volumeMounts:
  - {name: hooks, mountPath: /hooks, readOnly: true}
{{- end }}

{{/*
Beside Flink's client the hook that has it run. The client runs the programs of users, so the token for Kubernetes is
mounted in the hook alone.
*/}}
{{- define "flink.part.submitter" -}}
{{- $values := .root.Values -}}
containers:
  - name: {{ .event }}
    image: {{ include "flink.hooks.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    {{- include "flink.hooks.program" . | nindent 4 }}
    resources:
      {{- include "flink.resources" $values.hooks.resources | nindent 6 }}
    securityContext:
      {{- include "flink.over" (list $values.securityContext $values.hooks.securityContext) | nindent 6 }}
    volumeMounts:
      - {name: hooks, mountPath: /hooks, readOnly: true}
      - {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
      - {name: exchange, mountPath: /exchange}
      {{- if $values.storage.enabled }}
      - {name: data, mountPath: {{ $values.storage.mountPath | quote }}, readOnly: true}
      {{- end }}
volumes:
  - name: hooks
    configMap: {name: {{ .scripts }}}
  - name: exchange
    emptyDir: {}
  - name: token
    projected:
      sources:
        - serviceAccountToken: {path: token, expirationSeconds: 3600}
        - configMap: {name: kube-root-ca.crt}
        - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
volumeMounts:
  - {name: exchange, mountPath: /exchange}
{{- end }}
