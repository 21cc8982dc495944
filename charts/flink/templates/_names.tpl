{{/* A name cut to a limit, and then made unique by a hash: (dict "name" "..." "limit" 45). */}}
{{- define "flink.shorten" -}}
{{- if gt (len .name) .limit -}}
{{- printf "%s-%s" (trunc (int (sub .limit 9)) .name | trimSuffix "-") (sha256sum .name | trunc 8) -}}
{{- else -}}
{{- .name -}}
{{- end -}}
{{- end }}

{{/* Base name of all objects, within the limit of a Flink cluster id. */}}
{{- define "flink.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- $full := .Values.fullnameOverride -}}
{{- if not $full -}}
{{- $full = ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- end -}}
{{- include "flink.shorten" (dict "name" $full "limit" 45) -}}
{{- end }}

{{- define "flink.jobmanager.name" -}}{{ include "flink.fullname" . }}-jobmanager{{- end }}
{{/* Whether Flink makes the TaskManagers itself: in native mode, and where the operator runs it. */}}
{{- define "flink.makesTaskManagers" -}}
{{- if has .Values.flink.mode (list "native" "operator") }}true{{ end -}}
{{- end }}

{{/* The JobManager's Deployment. In native mode Flink looks for it, and for its ConfigMap, by names of its own. */}}
{{- define "flink.jobmanager.deployment" -}}
{{ include (ternary "flink.fullname" "flink.jobmanager.name" (eq (include "flink.makesTaskManagers" .) "true")) . }}
{{- end }}
{{- define "flink.taskmanager.name" -}}{{ include "flink.fullname" . }}-taskmanager{{- end }}
{{- define "flink.rest.name" -}}{{ include "flink.fullname" . }}-rest{{- end }}
{{- define "flink.config.name" -}}
{{ printf (ternary "flink-config-%s" "%s-config" (eq .Values.flink.mode "native")) (include "flink.fullname" .) }}
{{- end }}
{{- define "flink.scripts.name" -}}{{ include "flink.fullname" . }}-scripts{{- end }}
{{- define "flink.zookeeper.name" -}}{{ include "flink.fullname" . }}-zookeeper{{- end }}
{{- define "flink.claim.name" -}}
{{ tpl .Values.storage.existingClaim . | default (printf "%s-data" (include "flink.fullname" .)) }}
{{- end }}

{{- define "flink.serviceAccount.name" -}}
{{- $made := ternary (include "flink.fullname" .) "default" .Values.serviceAccount.create -}}
{{ .Values.serviceAccount.name | default $made }}
{{- end }}

{{/* The account of the JobManager, which is that of the release unless it has one of its own. */}}
{{- define "flink.jobmanager.account" -}}
{{ .Values.jobmanager.serviceAccountName | default (include "flink.serviceAccount.name" .) }}
{{- end }}

{{- define "flink.version" -}}
{{ include "flink.word" (dict "key" "flink.version" "value" .Values.flink.version) | default .Chart.AppVersion }}
{{- end }}

{{/*
An image in the registry that the values name, unless its name begins with one, as Docker tells it: by a dot, a colon or
localhost before the first slash: (dict "root" $ "name" "flink:2.2.1" "registry" <one that wins, optional>).
*/}}
{{- define "flink.image.of" -}}
{{- $registry := .registry | default .root.Values.global.imageRegistry -}}
{{- $first := splitList "/" .name | first -}}
{{- $own := and (contains "/" .name) (or (contains "." $first) (contains ":" $first) (eq $first "localhost")) -}}
{{- if and $registry (not $own) }}{{ trimSuffix "/" $registry }}/{{ end }}{{ .name -}}
{{- end }}

{{- define "flink.image" -}}
{{- $image := .Values.image -}}
{{- $tag := include "flink.word" (dict "key" "image.tag" "value" $image.tag) -}}
{{- $tag = printf ":%s" ($tag | default (printf "%s-java17" (include "flink.version" .))) -}}
{{- $name := printf "%s%s" $image.repository (ternary (printf "@%s" $image.digest) $tag (ne $image.digest "")) -}}
{{- include "flink.image.of" (dict "root" . "name" $name "registry" $image.registry) -}}
{{- end }}

{{/*
Labels that select the pods of a component: (dict "root" $ "component" "jobmanager"). They never change over upgrades.
*/}}
{{- define "flink.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/*
Labels of an object, of a component or of the whole cluster. The chart's version stays out of pod templates: a new one
alone restarts nothing.
*/}}
{{- define "flink.labels" -}}
{{ include "flink.selectorLabels" . }}
app.kubernetes.io/version: {{ include "flink.version" .root | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ include "flink.texts" (dict "key" "commonLabels" "texts" .) }}
{{- end }}
{{- end }}

{{/*
Metadata of an object: (dict "root" $ "component" <optional> "name" "..." "labels" <a map that wins, optional>
"annotations" <a map that wins, optional> "key" <the value that these are from>).
*/}}
{{- define "flink.metadata" -}}
{{- $common := .root.Values.commonAnnotations -}}
{{- $annotations := include "flink.texts" (dict "key" "commonAnnotations" "texts" $common) | fromYaml -}}
{{- $own := include "flink.texts" (dict "key" (.key | default "annotations") "texts" .annotations) | fromYaml -}}
{{- range $name, $text := $own }}{{ $_ := set $annotations $name $text }}{{ end -}}
metadata:
  name: {{ .name | quote }}
  labels:
    {{- with .labels }}
    {{- merge (deepCopy .) (include "flink.labels" $ | fromYaml) | toYaml | nindent 4 }}
    {{- else }}
    {{- include "flink.labels" . | nindent 4 }}
    {{- end }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
