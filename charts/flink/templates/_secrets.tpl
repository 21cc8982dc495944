{{/* Whether an option's value is a secret, by Flink's own rule and for the keys of S3: (dict "root" $ "key" "..." "value" <as written>). */}}
{{- define "flink.secrets.holds" -}}
{{- $key := lower .key -}}
{{- $secret := regexMatch "(access|secret|private|account)[.-]key(\\.|$)" $key -}}
{{- range (.root.Files.Get "files/options/names.json" | fromJson).sensitive }}{{ if contains . $key }}{{ $secret = true }}{{ end }}{{ end -}}
{{- /* Flink's rule is about parts of names: these tell where a secret is, or how tokens are renewed. */ -}}
{{- $names := regexMatch "^(kubernetes\\.|security\\.(delegation|kerberos)\\.)" $key -}}
{{- if and $secret (not $names) (not (has (toString .value) (list "true" "false"))) }}true{{ end -}}
{{- end }}

{{/* The options of flink.configFrom, by the names of today, as JSON: name -> secretKeyRef. */}}
{{- define "flink.secrets.options" -}}
{{- $options := dict -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- with $option.secret }}{{ $_ := set $options $name . }}{{ end -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/*
What of a pod serves to read options from Secrets, as JSON: initContainers, volumes, volumeMounts. Flink reads one folder: it is written in
memory, before Flink starts, from the ConfigMap and the Secrets. (dict "root" $ "native" <whether Flink makes the pod>)
*/}}
{{- define "flink.secrets.pod" -}}
{{- $pod := dict "initContainers" list "volumes" list "volumeMounts" list -}}
{{- with include "flink.secrets.options" .root | fromJson -}}
{{- $pod = include "flink.secrets.parts" (merge (dict "options" .) $) | fromYaml -}}
{{- end -}}
{{- toJson $pod -}}
{{- end }}

{{- define "flink.secrets.parts" -}}
initContainers:
  - name: configure
    image: {{ include "flink.image" .root }}
    imagePullPolicy: {{ .root.Values.image.pullPolicy }}
    command: [bash, /opt/flink/scripts/configure.sh, /opt/flink/config-map, /opt/flink/options, /opt/flink/conf]
    resources:
      requests: {cpu: 10m, memory: 32Mi}
      limits: {memory: 32Mi}
    securityContext:
      {{- toYaml .root.Values.securityContext | nindent 6 }}
    volumeMounts:
      - {name: config, mountPath: /opt/flink/config-map, readOnly: true}
      - {name: options, mountPath: /opt/flink/options, readOnly: true}
      - {name: conf, mountPath: /opt/flink/conf}
      - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
volumes:
  {{- if .native }}
  - name: config
    configMap: {name: {{ include "flink.config.name" .root }}}
  {{- end }}
  - name: options
    projected:
      sources:
        {{- range $name, $secret := .options }}
        - secret:
            name: {{ $secret.name }}
            items: [{key: {{ $secret.key | quote }}, path: {{ $name | quote }}}]
        {{- end }}
  - name: conf
    emptyDir: {medium: Memory}
volumeMounts:
  - {name: conf, mountPath: /opt/flink/conf, readOnly: true}
{{- end }}

{{- define "flink.validate.secrets" -}}
{{- $values := .Values -}}
{{- range $key, $value := $values.flink.config -}}
{{- if include "flink.secrets.holds" (dict "root" $ "key" $key "value" $value) -}}
{{- fail (printf "flink.config sets %s, which would stand in a ConfigMap for all to read: leave it out, put it into a Secret, and name that in flink.configFrom. For the keys of S3 state.s3.credentialsSecret names it." $key) -}}
{{- end -}}
{{- end -}}
{{- if $values.flink.configFrom -}}
{{- $old := include "flink.options.old" . | fromJson -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $own := include "flink.configuration" . | fromYaml -}}
{{- $names := list -}}
{{- range $secret := $values.flink.configFrom -}}
{{- if not (regexMatch "^[a-zA-Z0-9][-_.a-zA-Z0-9]*$" $secret.name) -}}
{{- fail (printf "flink.configFrom has the name %q, which is no option of Flink: write one by its flat name, for example security.ssl.internal.key-password." $secret.name) -}}
{{- end -}}
{{- range $name := splitList " " (get $old $secret.name | default $secret.name) -}}
{{- if has $name $names -}}
{{- fail (printf "flink.configFrom names %s twice: leave one of them out." $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- if hasKey $given $name -}}
{{- fail (printf "flink.configFrom names %s, which flink.config sets as well: leave one of them out." $name) -}}
{{- end -}}
{{- if hasKey $own $name -}}
{{- fail (printf "flink.configFrom names %s, which the chart has to know: leave it out, and write it into flink.config." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
