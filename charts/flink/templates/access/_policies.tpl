{{/*
Two NetworkPolicies of a component, an object for each direction: of one with both, kube-router lets in what another pod
may only send. (dict
  "component" "jobmanager"    its name among the pods and in the connections
  "name" "..."                what the objects' names begin with
  "selector" <podSelector>    its pods, if these are not all that the others know by its name
  "pods" <map>                name -> labels that select; what is not there, as a component that is off, is left out
  "connections" <list>        who connects to whom among these: {from: [names], to: name, ports: [of Kubernetes]}
  "ingress", "egress" <lists> more rules, as Kubernetes has them
  "metadata" <template>       which writes it from this dict, with the object's name)
*/}}
{{- define "flink.policies" -}}
{{- $selector := .selector | default (dict "matchLabels" (get .pods .component)) -}}
{{- range $direction, $rules := include "flink.policies.rules" . | fromJson }}
{{- include "flink.policy" (merge (dict "name" (printf "%s-%s" $.name (lower $direction)) "direction" $direction
      "rules" $rules "selector" $selector) $) }}
{{- end }}
{{- end }}

{{/* One of them: with "direction" (Ingress or Egress) and "rules". */}}
{{- define "flink.policy" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
{{ include .metadata . }}
spec:
  podSelector:
    {{- toYaml .selector | nindent 4 }}
  policyTypes: [{{ .direction }}]
  {{ lower .direction }}:
    {{- toYaml .rules | nindent 4 }}
{{- end }}

{{- define "flink.policies.rules" -}}
{{- $pods := .pods -}}
{{- $component := .component -}}
{{- $ingress := list -}}
{{- $egress := list -}}
{{- range $connection := .connections -}}
{{- $senders := list -}}
{{- range $connection.from -}}
{{- with get $pods . }}{{ $senders = append $senders (dict "podSelector" (dict "matchLabels" .)) }}{{ end -}}
{{- end -}}
{{- if and $senders (eq $connection.to $component) -}}
{{- $ingress = append $ingress (dict "from" $senders "ports" $connection.ports) -}}
{{- end -}}
{{- if and (has $component $connection.from) (hasKey $pods $connection.to) -}}
{{- $to := list (dict "podSelector" (dict "matchLabels" (get $pods $connection.to))) -}}
{{- $egress = append $egress (dict "to" $to "ports" $connection.ports) -}}
{{- end -}}
{{- end -}}
{{- $ingress = concat $ingress (.ingress | default list) | default list -}}
{{- dict "Ingress" $ingress "Egress" (concat $egress (.egress | default list) | default list) | toJson -}}
{{- end }}
