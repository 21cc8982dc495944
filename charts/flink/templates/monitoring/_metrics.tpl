{{/*
Flink's options for metrics, as JSON. Of the labels of a series those are left out that are new after every restart of a
job, and the address, which Prometheus knows better; texts are not made into identifiers, so that tm_id is the pod's
name. What Kafka's clients count about themselves would be a third of all series.
*/}}
{{- define "flink.metrics.options" -}}
{{- $options := dict -}}
{{- if .Values.metrics.enabled -}}
{{- $options = dict
      "metrics.reporter.prom.factory.class" "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
      "metrics.reporter.prom.port" (include "flink.text" .Values.metrics.port)
      "metrics.reporter.prom.filterLabelValueCharacters" "false"
      "metrics.reporter.prom.filter.excludes" "*.KafkaConsumer*;*.KafkaProducer*"
      "metrics.reporter.prom.scope.variables.excludes" "host;task_attempt_id;task_attempt_num"
      "metrics.job.status.enable" "CURRENT_TIME;STATE" -}}
{{- end -}}
{{- toJson $options -}}
{{- end }}

{{/* The reporter's port, and who may scrape it. */}}
{{- define "flink.part.metrics" -}}
{{- $metrics := .root.Values.metrics -}}
{{- if $metrics.enabled -}}
ports:
  - {name: metrics, containerPort: {{ include "flink.text" $metrics.port }}}
{{- if $metrics.scrapeAnnotations }}
annotations:
  prometheus.io/scrape: "true"
  prometheus.io/port: {{ include "flink.text" $metrics.port | quote }}
  prometheus.io/path: /metrics
{{- end }}
{{- end -}}
{{- end }}
