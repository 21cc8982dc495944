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
{{/* The JobManager's Deployment. In native mode Flink looks for it, and for its ConfigMap, by names of its own. */}}
{{- define "flink.jobmanager.deployment" -}}{{ include (ternary "flink.fullname" "flink.jobmanager.name" (eq .Values.flink.mode "native")) . }}{{- end }}
{{- define "flink.taskmanager.name" -}}{{ include "flink.fullname" . }}-taskmanager{{- end }}
{{- define "flink.rest.name" -}}{{ include "flink.fullname" . }}-rest{{- end }}
{{- define "flink.config.name" -}}{{ printf (ternary "flink-config-%s" "%s-config" (eq .Values.flink.mode "native")) (include "flink.fullname" .) }}{{- end }}
{{- define "flink.scripts.name" -}}{{ include "flink.fullname" . }}-scripts{{- end }}
{{- define "flink.zookeeper.name" -}}{{ include "flink.fullname" . }}-zookeeper{{- end }}
{{- define "flink.claim.name" -}}{{ .Values.storage.existingClaim | default (printf "%s-data" (include "flink.fullname" .)) }}{{- end }}

{{- define "flink.serviceAccount.name" -}}
{{ .Values.serviceAccount.name | default (ternary (include "flink.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "flink.version" -}}{{ .Values.flink.version | default .Chart.AppVersion }}{{- end }}

{{- define "flink.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}
{{- else -}}{{ .repository }}:{{ .tag | default (printf "%s-java17" (include "flink.version" $)) }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Labels that select the pods of a component: (dict "root" $ "component" "jobmanager"). They never change over upgrades. */}}
{{- define "flink.selectorLabels" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* Labels of an object, of a component or of the whole cluster. The chart's version stays out of pod templates: a new one alone restarts nothing. */}}
{{- define "flink.labels" -}}
{{ include "flink.selectorLabels" . }}
app.kubernetes.io/version: {{ include "flink.version" .root | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}
