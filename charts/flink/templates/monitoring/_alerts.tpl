{{/*
Selects the series of this release. The scrape gives these labels: a PodMonitor by podTargetLabels, a Prometheus that
follows annotations by a rule that copies the labels of pods.
*/}}
{{- define "flink.alerts.series" -}}
{{- $matchers := list (printf "namespace=%q" .Release.Namespace) -}}
{{- range $name, $value := include "flink.selectorLabels" (dict "root" .) | fromYaml -}}
{{- $matchers = append $matchers (printf "%s=%q" (regexReplaceAll "[./]" $name "_") $value) -}}
{{- end -}}
{{- join "," $matchers -}}
{{- end }}

{{/* Seconds times the patience of the values: (dict "root" $ "seconds" 300). */}}
{{- define "flink.alerts.seconds" -}}
{{- mulf .seconds .root.Values.metrics.prometheusRule.patience | ceil | int -}}
{{- end }}

{{/* Those of files/alerts.yaml that concern the release and are not switched off, filled in, as JSON. */}}
{{- define "flink.alerts" -}}
{{- $rule := .Values.metrics.prometheusRule -}}
{{- $active := not (and (eq .Values.flink.type "job") (eq .Values.job.state "suspended")) -}}
{{- $bounded := not (empty (include "flink.bounded" .)) -}}
{{- $jobs := ternary 1 (len .Values.session.jobs) (eq .Values.flink.type "job") -}}
{{- $so := dict "active" $active "resident" (and $active (not $bounded)) "bounded" $bounded "jobs" (gt $jobs 0)
      "standalone" (eq .Values.flink.mode "standalone") "native" (include "flink.makesTaskManagers" . | eq "true")
      "claim" .Values.storage.enabled "hooks" (include "flink.hooks.run" . | eq "true") -}}
{{- $fewest := .Values.taskmanager.autoscaling.minReplicas -}}
{{- if not (include "flink.autoscaled" .) }}{{ $fewest = include "flink.taskmanager.count" . }}{{ end -}}
{{- $words := merge (dict "series" (include "flink.alerts.series" .) "release" (include "flink.fullname" .)
      "namespace" .Release.Namespace "claim" (include "flink.claim.name" .) "jobs" $jobs
      "taskManagers" $fewest) $rule.thresholds -}}
{{- $text := .Files.Get "files/alerts.yaml" -}}
{{- range $name, $value := $words -}}
{{- $text = replace (printf "%%%s%%" $name) (include "flink.text" $value) $text -}}
{{- end -}}
{{- range regexFindAll "%[0-9]+%" $text -1 | uniq -}}
{{- $seconds := include "flink.alerts.seconds" (dict "root" $ "seconds" (trimAll "%" . | int)) -}}
{{- $text = replace . $seconds $text -}}
{{- end -}}
{{- $alerts := list -}}
{{- range $alert := fromYamlArray $text -}}
{{- $concerns := not (has $alert.alert $rule.disabled) -}}
{{- range $alert.when }}{{ $concerns = and $concerns (get $so .) }}{{ end -}}
{{- if $concerns }}{{ $alerts = append $alerts $alert }}{{ end -}}
{{- end -}}
{{- toJson $alerts -}}
{{- end }}
