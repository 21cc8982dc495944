{{/* The reporter of the chart, beside what values say of reporters themselves. */}}
{{- define "flink.validate.metrics" -}}
{{- $metrics := .Values.metrics -}}
{{- $monitor := $metrics.podMonitor -}}
{{- if not $metrics.enabled -}}
{{- range $key, $on := dict "podMonitor.enabled" $monitor.enabled "scrapeAnnotations" $metrics.scrapeAnnotations
      "prometheusRule.enabled" $metrics.prometheusRule.enabled -}}
{{- if $on -}}
{{- fail (printf (cat "metrics.%s is true, but metrics.enabled is false, and there would be nothing to scrape: set"
      "metrics.enabled=true, or leave it out.") $key) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $ports := set (include "flink.ports" . | fromYaml) "rest" .Values.rest.port -}}
{{- if has (float64 $metrics.port) (values $ports) -}}
{{- fail (printf (cat "metrics.port is %v, which JobManagers or TaskManagers use already: write another, for example"
      "9249.") $metrics.port) -}}
{{- end -}}
{{- include "flink.validate.reporters" . -}}
{{- end -}}
{{- $remedy := "install the custom resource definitions of the Prometheus Operator first, or set" -}}
{{- include "flink.validate.api" (dict "root" . "key" "metrics.podMonitor.enabled" "on" $monitor.enabled
      "api" "monitoring.coreos.com/v1/PodMonitor" "remedy" (cat $remedy "metrics.scrapeAnnotations=true instead")) -}}
{{- include "flink.validate.api" (dict "root" . "key" "metrics.prometheusRule.enabled"
      "on" $metrics.prometheusRule.enabled "api" "monitoring.coreos.com/v1/PrometheusRule"
      "remedy" (cat $remedy "it to false")) -}}
{{- end }}

{{/* Options that would keep the chart's reporter from its port. */}}
{{- define "flink.validate.reporters" -}}
{{- $class := get (include "flink.metrics.options" . | fromJson) "metrics.reporter.prom.factory.class" -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- $called := include "flink.options.called" (dict "name" $name "option" $option) -}}
{{- $value := $option.value | default "" -}}
{{- if eq $name "metrics.reporters" -}}
{{- if not (has "prom" (regexSplit "[,; ]+" $value -1)) -}}
{{- fail (printf (cat "%s to %q, which leaves out prom, the reporter of the chart: add it, or set"
      "metrics.enabled=false.") $called $value) -}}
{{- end -}}
{{- else if and (eq $name "metrics.reporter.prom.port") (ne $value (include "flink.text" $.Values.metrics.port)) -}}
{{- fail (printf "%s, which the chart declares as a port of the pods: set metrics.port=%s instead." $called $value) -}}
{{- else if eq $name "metrics.reporter.prom.factory.class" -}}
{{- if ne $value $class -}}
{{- fail (printf (cat "%s, but prom is the chart's own reporter: give yours another name, or set"
      "metrics.enabled=false.") $called) -}}
{{- end -}}
{{- else if and (hasSuffix ".factory.class" $name) (eq $value $class) -}}
{{- fail (printf (cat "%s, a second Prometheus reporter beside the chart's own: leave it out and set metrics.port, or"
      "set metrics.enabled=false.") $called) -}}
{{- end -}}
{{- end -}}
{{- end }}
