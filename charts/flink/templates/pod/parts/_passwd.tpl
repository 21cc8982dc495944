{{/*
A name for a user that Flink's image does not know, as another one or one of the cluster's choice: Hadoop, through which
Flink reads S3 and HDFS, does not start without. /etc/passwd of the image is copied, and the user added.
*/}}
{{- define "flink.part.passwd" -}}
{{- $values := .root.Values -}}
{{- $role := .values -}}
{{- $pod := include "flink.over" (list $values.podSecurityContext $role.podSecurityContext) | fromYaml -}}
{{- $container := include "flink.over" (list $values.securityContext $role.securityContext) | fromYaml -}}
{{- $known := eq (toString ($container.runAsUser | default $pod.runAsUser)) "9999" -}}
{{- range $role.extraVolumeMounts }}{{ $known = or $known (eq .mountPath "/etc/passwd") }}{{ end -}}
{{- if not $known -}}
initContainers:
  - name: passwd
    image: {{ include "flink.image" .root | quote }}
    command:
      - sh
      - -c
      - >-
        cp /etc/passwd /passwd/passwd;
        getent passwd $(id -u) || echo "user:x:$(id -u):$(id -g)::/tmp:/bin/sh" >> /passwd/passwd
    {{- include "flink.pod.init" . | nindent 4 }}
    volumeMounts:
      - {name: passwd, mountPath: /passwd}
volumes:
  - name: passwd
    emptyDir: {}
volumeMounts:
  - {name: passwd, mountPath: /etc/passwd, subPath: passwd, readOnly: true}
{{- end -}}
{{- end }}
