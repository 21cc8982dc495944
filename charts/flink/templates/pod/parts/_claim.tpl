{{/*
The claim of `storage`. One that only one node can mount: every pod that mounts it goes where the others are, which its
label tells. The first one is free to choose.
*/}}
{{- define "flink.part.claim" -}}
{{- if .root.Values.storage.enabled -}}
labels: {flink/claim: mounted}
{{ with include "flink.claimAffinity" .root -}}
affinity:
  {{- . | nindent 2 }}
{{ end -}}
volumes:
  - name: data
    persistentVolumeClaim: {claimName: {{ include "flink.claim.name" .root | quote }}}
volumeMounts:
  - {name: data, mountPath: {{ .root.Values.storage.mountPath | quote }}}
{{- end -}}
{{- end }}

{{- define "flink.claimAffinity" -}}
{{- $modes := .Values.storage.accessModes -}}
{{- if and .Values.storage.enabled (not (has "ReadWriteMany" $modes)) -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "flink.selectorLabels" (dict "root" .) | nindent 10 }}
          flink/claim: mounted
{{- end -}}
{{- end }}
