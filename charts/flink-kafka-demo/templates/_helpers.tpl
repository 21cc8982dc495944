{{/* Every file begins with it: what is empty gets its default, in this chart and in the one below it. */}}
{{- define "demo.begin" -}}
{{- include "flink.defaults" . -}}
{{- include "flink.begin" .Subcharts.flink -}}
{{- include "demo.validate" . -}}
{{- end }}

{{/*
Name of the objects of a component, with room for what Jobs and StatefulSets add: (dict "root" $ "component" "kafka").
*/}}
{{- define "demo.name" -}}
{{ include "flink.shorten" (dict "name" .root.Release.Name "limit" 40) }}-{{ .component }}
{{- end }}

{{/* The chart's own broker, as others reach it. */}}
{{- define "demo.broker" -}}
{{ include "demo.name" (dict "root" . "component" "kafka") }}.{{ .Release.Namespace }}.svc:9092
{{- end }}

{{/* Brokers, for this chart and for the arguments of the Flink chart below it. */}}
{{- define "demo.bootstrapServers" -}}
{{ ((.Values.global).kafka).bootstrapServers | default (include "demo.broker" .) }}
{{- end }}

{{/* The topic, for both as well. */}}
{{- define "demo.topic" -}}
{{ ((.Values.global).kafka).topic | default "sahibinden" }}
{{- end }}

{{- define "demo.labels" -}}
{{ include "demo.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "demo.selectorLabels" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ toYaml .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Metadata of an object: (dict "root" $ "component" "..." "name" "..."). */}}
{{- define "demo.metadata" -}}
metadata:
  name: {{ .name }}
  labels:
    {{- include "demo.labels" . | nindent 4 }}
{{- end }}

{{/* What all pods of this chart have in common: (dict "root" $). */}}
{{- define "demo.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "flink.pullSecrets" (.root.Values.global.imagePullSecrets | default list) }}
securityContext:
  {{- toYaml .root.Values.podSecurityContext | nindent 2 }}
{{- end }}

{{- define "demo.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/*
A Job that runs a program of the tools image to its end: (dict "root" $ "component" "topic" "program" "topic.py"
"args" <list>). The name carries a hash of its pods, because those of a Job cannot be changed; the same values give the
same Job, which does not run again.
*/}}
{{- define "demo.toolJob" -}}
{{- $pod := include "demo.toolPod" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "demo.name" . }}-{{ $pod | sha256sum | trunc 8 }}
  labels:
    {{- include "demo.labels" . | nindent 4 }}
spec:
  backoffLimit: 10
  template:
    {{- $pod | nindent 4 }}
{{- end }}

{{- define "demo.toolPod" -}}
metadata:
  labels:
    {{- include "demo.selectorLabels" . | nindent 4 }}
spec:
  restartPolicy: OnFailure
  {{- include "demo.podSecurity" . | nindent 2 }}
  {{- if .wait }}
  initContainers:
    {{- include "demo.toolContainer" (dict "root" .root "name" "wait-for-topic" "program" "topic.py"
          "args" (list "wait")) | nindent 4 }}
  {{- end }}
  containers:
    {{- include "demo.toolContainer" (dict "root" .root "name" .component "program" .program "args" .args)
          | nindent 4 }}
  {{- with .root.Values.global.kafka.propertiesSecret }}
  volumes:
    - name: kafka-client
      secret: {secretName: {{ . | quote }}}
  {{- end }}
{{- end }}

{{- define "demo.toolContainer" -}}
- name: {{ .name }}
  image: {{ include "flink.image.of" (dict "root" .root "name" .root.Values.global.tools.image) }}
  command: [python3, /opt/kdv/{{ .program }}]
  args:
    {{- range .args }}
    - {{ . | quote }}
    {{- end }}
    - --bootstrap-servers={{ include "demo.bootstrapServers" .root }}
    - --topic={{ include "demo.topic" .root }}
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
{{- fail (printf (cat
      "The release is called %s, but a Service takes only small letters, digits and hyphens, a letter first: choose"
      "such a name.") .Release.Name) -}}
{{- end -}}
{{- $flink := .Subcharts.flink.Values -}}
{{- if and (eq $flink.flink.type "session") (not $flink.session.jobs) -}}
{{- fail (cat
      "flink.flink.type is session, but flink.session.jobs is empty, and nobody would submit the KDV job: take"
      "values/demo-session.yaml, or write the job into the list.") -}}
{{- end -}}
{{- if and .Values.kafkaUi.enabled .Values.global.kafka.propertiesSecret -}}
{{- fail (cat
      "kafkaUi.enabled is true, but global.kafka.propertiesSecret is set, and Kafka UI does not read such a file: set"
      "kafkaUi.enabled=false, and run Kafka UI by yourself.") -}}
{{- end -}}
{{- if and .Values.kafka.enabled .Values.global.kafka.bootstrapServers -}}
{{- fail (cat
      "global.kafka.bootstrapServers is set, but kafka.enabled is true: set kafka.enabled=false to use your own"
      "brokers, or leave the servers out.") -}}
{{- end -}}
{{- if not (or .Values.kafka.enabled .Values.global.kafka.bootstrapServers) -}}
{{- fail (cat "kafka.enabled is false, but no brokers are named: set global.kafka.bootstrapServers, for example"
      "my-kafka:9092.") -}}
{{- end -}}
{{- if .Values.kafka.enabled -}}
{{- $name := include "demo.name" (dict "root" . "component" "kafka") -}}
{{- $live := dig "data" "server.properties" "" (lookup "v1" "ConfigMap" .Release.Namespace $name) -}}
{{- $voters := printf "controller.quorum.voters=%s" (include "demo.kafka.voters" .) -}}
{{- if and $live (not (has $voters (splitList "\n" $live))) -}}
{{- fail (printf (cat
      "kafka.brokers is %s, but the release's Kafka was installed with another number, which its brokers cannot change"
      "while they keep their topics: keep the number, or install a release of another name.")
      (include "flink.text" .Values.kafka.brokers)) -}}
{{- end -}}
{{- end -}}
{{- $network := .Subcharts.flink.Values.networkPolicy -}}
{{- if and $network.enabled (not .Values.kafka.enabled) (not $network.egress.services) -}}
{{- fail (printf (cat
      "global.kafka.bootstrapServers names %s, but flink.networkPolicy.egress.services is empty, so that no pod reaches"
      "it: write a rule, for example {to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 9092}]}.")
      .Values.global.kafka.bootstrapServers) -}}
{{- end -}}
{{- range $key, $value := .Values.kafka.config -}}
{{- if has $key (list "listeners" "advertised.listeners" "process.roles" "node.id" "log.dirs"
      "controller.quorum.voters") -}}
{{- fail (printf (cat
      "kafka.config sets %s, which the Service, the claim and the probe of the broker rely on: leave it out.") $key) -}}
{{- end -}}
{{- end -}}
{{- end }}
