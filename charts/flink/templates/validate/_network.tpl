{{/* What the policies would shut out though other values ask for it. */}}
{{- define "flink.validate.network" -}}
{{- $given := .Values.networkPolicy -}}
{{- if $given.enabled -}}
{{- $door := "" -}}
{{- $example := "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}" -}}
{{- if .Values.ingress.enabled -}}
{{- $door = "ingress.enabled is true" -}}
{{- else if .Values.gateway.parentRefs -}}
{{- $door = "gateway.parentRefs is set" -}}
{{- $example = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: gateways}}}" -}}
{{- else if ne .Values.rest.service.type "ClusterIP" -}}
{{- $door = printf "rest.service.type is %s" .Values.rest.service.type -}}
{{- $example = "{ipBlock: {cidr: 192.0.2.0/24}}" -}}
{{- end -}}
{{- if and $door (not $given.ingress.rest) -}}
{{- fail (printf (cat "%s, but networkPolicy.ingress.rest is empty, so that nobody reaches the UI through it: name who"
      "does, for example [%s].") $door $example) -}}
{{- end -}}
{{- $metrics := .Values.metrics -}}
{{- if and (or $metrics.podMonitor.enabled $metrics.scrapeAnnotations) (not $given.ingress.metrics) -}}
{{- fail (printf (cat "%s is true, but networkPolicy.ingress.metrics is empty, so that nobody scrapes the pods: name"
      "who does, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}].")
      (ternary "metrics.podMonitor.enabled" "metrics.scrapeAnnotations" $metrics.podMonitor.enabled)) -}}
{{- end -}}
{{- $remote := dict -}}
{{- range $part, $folder := merge (dict "root" .Values.state.root) .Values.state.folders -}}
{{- $key := printf "state.%s%s" (ternary "" "folders." (eq $part "root")) $part -}}
{{- if not (hasPrefix "file:" $folder) }}{{ $_ := set $remote $key $folder }}{{ end -}}
{{- end -}}
{{- if include "flink.leaderInZooKeeper" . -}}
{{- $_ := set $remote "highAvailability.zookeeper.quorum" .Values.highAvailability.zookeeper.quorum -}}
{{- end -}}
{{- /* With the operator it is that which fetches these. */ -}}
{{- range ternary list (include "flink.session.entries" . | fromJsonArray) (eq .Values.flink.mode "operator") -}}
{{- $_ := set $remote (printf "session.jobs, in %s," .name) .program.url -}}
{{- end -}}
{{- with include "flink.job.download" . | fromJson }}{{ $_ := set $remote "job" .url }}{{ end -}}
{{- range $key, $address := $remote -}}
{{- if and $address (not $given.egress.services) -}}
{{- fail (printf (cat "%s names %s, but networkPolicy.egress.services is empty, so that no pod reaches it: write a"
      "rule, for example {to: [{ipBlock: {cidr: 192.0.2.0/24}}], ports: [{port: 443}]}.") $key $address) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
