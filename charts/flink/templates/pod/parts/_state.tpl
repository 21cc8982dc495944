{{/*
What reaches the state, and tables: plugins of the image, credentials, Hadoop's files. The root file system is
read-only, so plugins are linked into a volume, a directory for each.
*/}}
{{- define "flink.part.state" -}}
{{- $root := .root -}}
{{- $state := .root.Values.state -}}
{{- $kerberos := .root.Values.kerberos -}}
{{- $plugins := include "flink.state.plugins" .root | fromJsonArray -}}
{{- if $plugins -}}
initContainers:
  - name: plugins
    image: {{ include "flink.image" $root | quote }}
    command: [bash, /opt/flink/scripts/plugins.sh, /links]
    args:
      {{- toYaml $plugins | nindent 6 }}
    {{- include "flink.pod.init" . | nindent 4 }}
    volumeMounts:
      - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
      - {name: plugins, mountPath: /links}
{{- end }}
env:
  {{- with $state.s3.credentialsSecret }}
  - name: AWS_ACCESS_KEY_ID
    valueFrom: {secretKeyRef: {name: {{ tpl . $root | quote }}, key: {{ $state.s3.credentialsKeys.accessKey | quote }}}}
  - name: AWS_SECRET_ACCESS_KEY
    valueFrom: {secretKeyRef: {name: {{ tpl . $root | quote }}, key: {{ $state.s3.credentialsKeys.secretKey | quote }}}}
  {{- end }}
  {{- with $state.s3.region }}
  - {name: AWS_REGION, value: {{ . | quote }}}
  {{- end }}
  {{- with $state.hdfs.classpath }}
  - {name: HADOOP_CLASSPATH, value: {{ . | quote }}}
  {{- end }}
  {{- with $state.hdfs.configMap }}
  - {name: HADOOP_CONF_DIR, value: /etc/hadoop}
  {{- end }}
volumes:
  {{- if $plugins }}
  - name: plugins
    emptyDir: {}
  {{- end }}
  {{- with $state.hdfs.configMap }}
  - name: hadoop
    configMap: {name: {{ tpl . $root | quote }}}
  {{- end }}
  {{- with $kerberos.keytabSecret }}
  - name: keytab
    secret: {secretName: {{ tpl . $root | quote }}}
  {{- end }}
  {{- with $kerberos.configMap }}
  - name: krb5
    configMap: {name: {{ tpl . $root | quote }}}
  {{- end }}
volumeMounts:
  {{- range $plugins }}
  - {name: plugins, mountPath: /opt/flink/plugins/{{ . }}, subPath: {{ . }}, readOnly: true}
  {{- end }}
  {{- if $state.hdfs.configMap }}
  - {name: hadoop, mountPath: /etc/hadoop, readOnly: true}
  {{- end }}
  {{- if $kerberos.keytabSecret }}
  - {name: keytab, mountPath: /etc/kerberos, readOnly: true}
  {{- end }}
  {{- if $kerberos.configMap }}
  - {name: krb5, mountPath: /etc/krb5.conf, subPath: krb5.conf, readOnly: true}
  {{- end }}
{{- end }}

{{/*
For the hook that asks the store of the state; it says what is missing. By names that leave those of AWS to the user.
*/}}
{{- define "flink.part.s3" -}}
{{- with include "flink.state.s3" .root | fromJson -}}
env:
  - name: STATE_S3_ACCESS_KEY
    valueFrom: {secretKeyRef: {name: {{ .secret | quote }}, key: {{ index .keys 0 | quote }}, optional: true}}
  - name: STATE_S3_SECRET_KEY
    valueFrom: {secretKeyRef: {name: {{ .secret | quote }}, key: {{ index .keys 1 | quote }}, optional: true}}
{{- end -}}
{{- end }}
