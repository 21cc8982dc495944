{{/* Name of the objects of a component, with room for what Jobs and StatefulSets add: (dict "root" $ "component" "kafka"). */}}
{{- define "demo.name" -}}
{{ include "flink.shorten" (dict "name" .root.Release.Name "limit" 40) }}-{{ .component }}
{{- end }}

{{/* The chart's own broker, as others reach it. */}}
{{- define "demo.broker" -}}
{{ include "demo.name" (dict "root" . "component" "kafka") }}.{{ .Release.Namespace }}.svc:9092
{{- end }}

{{/* Brokers, for this chart and for the arguments of the Flink chart below it. */}}
{{- define "demo.bootstrapServers" -}}
{{ .Values.global.kafka.bootstrapServers | default (include "demo.broker" .) }}
{{- end }}

{{- define "demo.labels" -}}
{{ include "demo.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "demo.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* What all pods of this chart have in common: (dict "user" 9999). */}}
{{- define "demo.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "demo.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
A Job that runs a program of the tools image to its end: (dict "root" $ "component" "topic" "program" "topic.py" "args" <list>).
The name carries a hash of what it runs, because a Job cannot be changed; the same values give the same Job, which does not run again.
*/}}
{{- define "demo.toolJob" -}}
{{- $content := list .root.Values.global.tools.image .program .args .wait -}}
{{- with .root.Values.global.kafka.propertiesSecret }}{{ $content = append $content . }}{{ end -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "demo.name" . }}-{{ $content | toJson | sha256sum | trunc 8 }}
  labels:
    {{- include "demo.labels" . | nindent 4 }}
spec:
  backoffLimit: 10
  template:
    metadata:
      labels:
        {{- include "demo.selectorLabels" . | nindent 8 }}
    spec:
      restartPolicy: OnFailure
      {{- include "demo.podSecurity" (dict "user" 9999) | nindent 6 }}
      {{- if .wait }}
      initContainers:
        {{- include "demo.toolContainer" (dict "root" .root "name" "wait-for-topic" "program" "topic.py" "args" (list "wait")) | nindent 8 }}
      {{- end }}
      containers:
        {{- include "demo.toolContainer" (dict "root" .root "name" .component "program" .program "args" .args) | nindent 8 }}
      {{- with .root.Values.global.kafka.propertiesSecret }}
      volumes:
        - name: kafka-client
          secret: {secretName: {{ . | quote }}}
      {{- end }}
{{- end }}

{{- define "demo.toolContainer" -}}
- name: {{ .name }}
  image: {{ .root.Values.global.tools.image }}
  command: [python3, /opt/kdv/{{ .program }}]
  args:
    {{- range .args }}
    - {{ . | quote }}
    {{- end }}
    - --bootstrap-servers={{ include "demo.bootstrapServers" .root }}
    - --topic={{ .root.Values.global.kafka.topic }}
    {{- if .root.Values.global.kafka.propertiesSecret }}
    - --kafka-properties=/etc/kafka-client/client.properties
    {{- end }}
  {{- if .root.Values.global.kafka.propertiesSecret }}
  volumeMounts:
    - {name: kafka-client, mountPath: /etc/kafka-client, readOnly: true}
  {{- end }}
  resources:
    requests: {cpu: 50m, memory: 64Mi}
    limits: {memory: 128Mi}
  {{- include "demo.containerSecurity" . | nindent 2 }}
{{- end }}

{{- define "demo.validate" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" .Release.Name) -}}
{{- fail (printf "The release is called %s, but a Service takes only small letters, digits and hyphens, a letter first: choose such a name." .Release.Name) -}}
{{- end -}}
{{- $flink := .Subcharts.flink -}}
{{- if eq $flink.Values.flink.type "session" -}}
{{- if or $flink.Values.job.jar.file $flink.Values.job.jar.entryClass -}}
{{- fail "flink.job.jar is set, but this chart submits a Python job to a session: set flink.flink.type=job, or leave the jar out." -}}
{{- end -}}
{{- include "flink.validate.parallelism" $flink -}}
{{- end -}}
{{- if and .Values.kafka.enabled .Values.global.kafka.bootstrapServers -}}
{{- fail "global.kafka.bootstrapServers is set, but kafka.enabled is true: set kafka.enabled=false to use your own brokers, or leave the servers out." -}}
{{- end -}}
{{- if not (or .Values.kafka.enabled .Values.global.kafka.bootstrapServers) -}}
{{- fail "kafka.enabled is false, but no brokers are named: set global.kafka.bootstrapServers, for example my-kafka:9092." -}}
{{- end -}}
{{- range $key, $value := .Values.kafka.config -}}
{{- if has $key (list "listeners" "advertised.listeners" "process.roles" "node.id" "log.dirs" "controller.quorum.voters") -}}
{{- fail (printf "kafka.config sets %s, which the Service, the claim and the probe of the broker rely on: leave it out." $key) -}}
{{- end -}}
{{- end -}}
{{- end }}
