{{/* Who connects to whom in a release, and to which ports. */}}
{{- define "flink.network.connections" -}}
{{- $ports := include "flink.ports" . | fromYaml -}}
- from: [jobmanager, taskmanager, sql-gateway, submitter, hooks, test, ui-proxy]
  to: jobmanager
  ports: [{port: {{ include "flink.text" .Values.rest.port }}}]
- from: [jobmanager, taskmanager]
  to: jobmanager
  ports: [{port: {{ $ports.jobmanager }}}, {port: {{ $ports.blob }}}]
- from: [jobmanager]
  to: jobmanager
  ports: [{port: {{ $ports.query }}}]
{{- if .Values.metrics.enabled }}
- from: [test]
  to: jobmanager
  ports: [{port: {{ include "flink.text" .Values.metrics.port }}}]
{{- end }}
# Results of a query come from a port of its own, one that Linux chooses: with a number for it there could be only one.
- from: [jobmanager]
  to: taskmanager
  ports: [{port: {{ $ports.taskmanager }}}, {port: {{ $ports.query }}}, {port: 32768, endPort: 60999}]
- from: [taskmanager]
  to: taskmanager
  ports: [{port: {{ $ports.data }}}]
- from: [jobmanager, taskmanager, submitter, hooks]
  to: zookeeper
  ports: [{port: 2181}]
{{- end }}

{{/* Who else comes in: the value of networkPolicy.ingress that names them, the pods that they reach, and the port. */}}
{{- define "flink.network.clients" -}}
{{- if include "flink.uiProxy" . }}
- {key: rest, to: ui-proxy, port: 8080}
{{- else }}
- {key: rest, to: jobmanager, port: {{ include "flink.text" .Values.rest.port }}}
{{- end }}
{{- if eq .Values.flink.mode "operator" }}
- {key: operator, to: jobmanager, port: {{ include "flink.text" .Values.rest.port }}}
- {key: operator, to: zookeeper, port: 2181}
{{- end }}
- {key: sqlGateway, to: sql-gateway, port: 8083}
{{- if .Values.sqlGateway.hiveServer2 }}
- {key: sqlGateway, to: sql-gateway, port: 10000}
{{- end }}
- {key: historyServer, to: history-server, port: 8082}
{{- if .Values.metrics.enabled }}
{{- range $component := list "jobmanager" "taskmanager" }}
- {key: metrics, to: {{ $component }}, port: {{ include "flink.text" $.Values.metrics.port }}}
{{- end }}
{{- end }}
{{- end }}

{{/*
The pods of a release by component, with the labels that select them, as JSON. Hooks are there though none run: those of
the coming revision run before its policies are there.
*/}}
{{- define "flink.network.pods" -}}
{{- $there := dict
      "sql-gateway" .Values.sqlGateway.enabled
      "history-server" .Values.historyServer.enabled
      "submitter" (include "flink.session.submits" .)
      "test" (not (include "flink.bounded" .))
      "ui-proxy" (include "flink.uiProxy" .)
      "zookeeper" (include "flink.zookeeper.bundled" .) -}}
{{- $pods := dict -}}
{{- range $component := keys (include "flink.roles" . | fromYaml) | sortAlpha -}}
{{- if and (ne $component "savepoint") (get $there $component | default (not (hasKey $there $component))) -}}
{{- $labels := include "flink.selectorLabels" (dict "root" $ "component" $component) | fromYaml -}}
{{- $_ := set $pods $component $labels -}}
{{- end -}}
{{- end -}}
{{- toJson $pods -}}
{{- end }}

{{/*
The policies of a component with what reaches beyond the release: (dict "root" $ "component" "..." "name" <what their
names end with> and, as flink.policies has them, "selector" and "metadata", with what that template takes).
*/}}
{{- define "flink.network.policies" -}}
{{- $root := .root -}}
{{- $component := .component -}}
{{- $ingress := list -}}
{{- range include "flink.network.clients" $root | fromYamlArray -}}
{{- $peers := include "flink.network.given" (dict "root" $root "direction" "ingress" "key" .key) | fromYamlArray -}}
{{- if and $peers (eq .to $component) -}}
{{- $ingress = append $ingress (dict "from" $peers "ports" (list (dict "port" .port))) -}}
{{- end -}}
{{- end -}}
{{- $exits := dict
      "dns" (ne $component "zookeeper")
      "apiServer" (or (has $component (list "hooks" "submitter")) (include "flink.token" .))
      "oidc" (and (eq $component "ui-proxy") (eq $root.Values.auth.type "oidc"))
      "services" (not (has $component (list "zookeeper" "test" "ui-proxy"))) -}}
{{- $pods := include "flink.network.pods" $root | fromJson -}}
{{- $egress := list -}}
{{- if eq $component "hooks" -}}
{{- /* The JobManager that runs may still have another port of REST; its own policy says which one is open. */ -}}
{{- $egress = list (dict "to" (list (dict "podSelector" (dict "matchLabels" $pods.jobmanager)))) -}}
{{- end -}}
{{- range $key, $open := $exits -}}
{{- if $open -}}
{{- $rules := include "flink.network.given" (dict "root" $root "direction" "egress" "key" $key) | fromYamlArray -}}
{{- $egress = concat $egress $rules -}}
{{- end -}}
{{- end -}}
{{- include "flink.policies" (merge (dict "pods" $pods
      "connections" (include "flink.network.connections" $root | fromYamlArray) "ingress" $ingress "egress" $egress
      "name" (printf "%s-%s" (include "flink.fullname" $root) .name)) .) -}}
{{- end }}

{{/* A list of the user's in networkPolicy: (dict "root" $ "direction" "egress" "key" "dns"). */}}
{{- define "flink.network.given" -}}
{{- include "flink.rendered" (dict "root" .root "key" (printf "networkPolicy.%s.%s" .direction .key)
      "list" (get (get .root.Values.networkPolicy .direction) .key)) -}}
{{- end }}
