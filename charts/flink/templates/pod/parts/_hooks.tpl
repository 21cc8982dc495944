{{/* The program of the hooks: (the context of flink.pod, with "scripts" <the ConfigMap that holds it>). */}}
{{- define "flink.part.hooks" -}}
{{- /* By it a policy tells the pods of the CronJob from those that Helm starts. */ -}}
labels: {flink/event: {{ .name }}}
volumes:
  - name: hooks
    configMap: {name: {{ .scripts }}}
volumeMounts:
  - {name: hooks, mountPath: /hooks, readOnly: true}
{{- end }}

{{/*
Beside Flink's client the hook that has it run, with the values of `hooks` for a container. The client runs the programs
of users, so the token for Kubernetes is mounted in the hook alone.
*/}}
{{- define "flink.part.submitter" -}}
{{- $values := .root.Values -}}
{{- $role := include "flink.role" (dict "root" .root "role" "hooks") | fromYaml -}}
{{- $hook := dict "root" .root "values" $role -}}
{{- $own := include "flink.part.user" $hook | fromYaml -}}
{{- $mounts := include "flink.submitter.mounts" .root | fromYamlArray -}}
{{- include "flink.pod.mounts" (dict "mounts" $mounts "more" $own.volumeMounts "role" $hook.values) -}}
containers:
  - name: {{ .event }}
    image: {{ include "flink.hooks.image" .root | quote }}
    imagePullPolicy: {{ $values.image.pullPolicy }}
    {{- include "flink.hooks.program" . | nindent 4 }}
    {{- range $key := list "env" "envFrom" }}
    {{- with get $own $key }}
    {{- dict $key . | toYaml | nindent 4 }}
    {{- end }}
    {{- end }}
    {{- with $hook.values.lifecycle }}
    {{- dict "lifecycle" . | toYaml | nindent 4 }}
    {{- end }}
    resources:
      {{- include "flink.resources" $hook.values.resources | nindent 6 }}
    securityContext:
      {{- include "flink.over" (list $values.securityContext $hook.values.securityContext) | nindent 6 }}
    volumeMounts:
      {{- concat $mounts ($own.volumeMounts | default list) | toYaml | nindent 6 }}
volumes:
  {{- /* One that both containers mount is there once. */}}
  {{- $theirs := (include "flink.part.user" (omit . "restartPolicy") | fromYaml).volumes | default list }}
  {{- range $volume := $own.volumes }}
  {{- range $theirs }}
  {{- if and (eq .name $volume.name) (ne (toJson .) (toJson $volume)) }}
  {{- fail (printf (cat "hooks.extraVolumes and %s.extraVolumes have two volumes called %s, and the pod that submits"
        "session.jobs has both: give one of them another name.") $.values.sources.extraVolumes .name) }}
  {{- end }}
  {{- end }}
  {{- if not (has $volume $theirs) }}
  - {{ toYaml $volume | nindent 4 | trim }}
  {{- end }}
  {{- end }}
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

{{- define "flink.submitter.mounts" -}}
{{- $values := .Values -}}
- {name: hooks, mountPath: /hooks, readOnly: true}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
- {name: exchange, mountPath: /exchange}
{{- range $part, $_ := omit (include "flink.tls.mounted" . | fromJson) "internal" }}
- {name: tls-{{ $part }}, mountPath: /opt/flink/tls/{{ $part }}, readOnly: true}
{{- end }}
{{- if $values.storage.enabled }}
- {name: data, mountPath: {{ $values.storage.mountPath | quote }}, readOnly: true}
{{- end }}
{{- end }}
