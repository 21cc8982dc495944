{{- define "flink.hooks.name" -}}{{ include "flink.fullname" . }}-hooks{{- end }}
{{- define "flink.record.name" -}}{{ include "flink.fullname" . }}-{{ ternary "jobs" "record" (eq .Values.flink.type "session") }}{{- end }}

{{/* Within the limit of a CronJob's name. */}}
{{- define "flink.savepoints.name" -}}
{{ include "flink.shorten" (dict "name" (include "flink.fullname" .) "limit" 42) }}-savepoint
{{- end }}

{{/* Whether there is a job to take savepoints of, and a folder for them. */}}
{{- define "flink.savepoints.offered" -}}
{{- if and (include "flink.job.carried" .) (include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir")) }}true{{ end -}}
{{- end }}

{{/* An image with Python: a Python job brings it along. */}}
{{- define "flink.hooks.image" -}}
{{- $own := and (eq .Values.flink.type "job") (not (or .Values.job.jar.file .Values.job.jar.entryClass .Values.job.sql.file)) -}}
{{- .Values.hooks.image | default (ternary (include "flink.image" .) "python:3.11-slim-bookworm" $own) -}}
{{- end }}

{{/* The scripts, and the release as they see it: (dict "root" $ "deployments" <whether to add what autoscalers and people change>). */}}
{{- define "flink.hooks.data" -}}
{{- $root := .root -}}
{{- range $path, $_ := $root.Files.Glob "files/hooks/*.py" }}
{{ base $path }}: {{ $root.Files.Get $path | toJson }}
{{- end }}
{{- $deployments := list -}}
{{- if .deployments -}}
{{- range $role := ternary (list "jobmanager") (list "jobmanager" "taskmanager") (eq $root.Values.flink.mode "native") -}}
{{- $values := get $root.Values $role -}}
{{- $container := dict "name" $role "image" (include "flink.image" $root) "resources" $values.resources -}}
{{- $deployments = append $deployments (dict "apiVersion" "apps/v1" "kind" "Deployment"
      "metadata" (dict "name" (include (ternary "flink.jobmanager.deployment" "flink.taskmanager.name" (eq $role "jobmanager")) $root))
      "spec" (dict "replicas" (include "flink.replicas" (dict "root" $root "role" $values) | int)
        "template" (dict "spec" (dict "containers" (list $container))))) -}}
{{- end -}}
{{- end -}}
{{- $zookeeper := dict -}}
{{- if include "flink.leaderInZooKeeper" $root -}}
{{- $zookeeper = dict "quorum" (include "flink.zookeeper.quorum" $root) "bundled" (eq (include "flink.zookeeper.bundled" $root) "true")
      "path" (printf "%s/%s" (include "flink.zookeeper.path" $root) (include "flink.fullname" $root)) -}}
{{- end -}}
{{- with $root.Values }}
release.json: {{ printf "%s\n" (dict
  "record" (include "flink.record.name" $root)
  "labels" (include "flink.selectorLabels" (dict "root" $root) | fromYaml)
  "jobmanager" (include "flink.jobmanager.deployment" $root)
  "taskmanagers" (include "flink.native.selector" $root)
  "template" (include "flink.native.checksum" $root)
  "taskmanager" (ternary (include "flink.taskmanager.name" $root) "" (eq $root.Values.flink.mode "standalone"))
  "selector" (include "flink.selectorLabels" (dict "root" $root "component" "jobmanager") | replace ": " "=" | replace "\n" ",")
  "rest" (printf "http://%s:%v" (include "flink.rest.name" $root) .rest.port)
  "specification" (include "flink.specification" $root)
  "mode" (include "flink.job.upgradeMode" $root)
  "state" .job.state
  "fromSavepoint" .job.fromSavepoint
  "savepoints" (include "flink.option" (dict "root" $root "key" "execution.checkpointing.savepoint-dir"))
  "keepSavepoints" (int .savepoints.keep)
  "highAvailability" (or (eq (include "flink.leaderInKubernetes" $root) "true") (eq (include "flink.leaderInZooKeeper" $root) "true"))
  "zookeeper" $zookeeper
  "remembers" (eq (include "flink.highlyAvailable" $root) "true")
  "claim" (include "flink.state.onClaim" $root)
  "jobs" (include "flink.session.entries" $root | fromJsonArray)
  "clusterId" (include "flink.fullname" $root)
  "timeoutSeconds" (int .hooks.timeoutSeconds)
  "deployments" $deployments
  | toPrettyJson) | toJson }}
{{- end }}
{{- end }}

{{/* How often a Job or CronJob of the hooks is tried, and for how long. */}}
{{- define "flink.hooks.tries" -}}
activeDeadlineSeconds: {{ add .Values.hooks.timeoutSeconds 20 }}
# A pod that lost its node is tried again; a verb that failed is not.
backoffLimit: 2
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: {operator: In, values: [1]}
{{- end }}

{{/* The container that runs a verb: (dict "root" $ "verb" "..."). */}}
{{- define "flink.hooks.container" -}}
{{- $root := .root -}}
name: {{ .verb }}
image: {{ include "flink.hooks.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: [python3, -B, /hooks/lifecycle.py, {{ .verb }}]
resources:
  requests: {cpu: 50m, memory: 64Mi}
  limits: {memory: 64Mi}
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  {{- toYaml $root.Values.securityContext | nindent 2 }}
volumeMounts:
  - {name: hooks, mountPath: /hooks, readOnly: true}
{{- end }}

{{/* What a Job or CronJob that runs a verb has in common: (dict "root" $ "account" "..." "verb" "..."). */}}
{{- define "flink.hooks.job" -}}
{{- $root := .root -}}
{{- include "flink.hooks.tries" $root }}
template:
  metadata:
    labels:
      {{- include "flink.selectorLabels" (dict "root" $root "component" "hooks") | nindent 6 }}
  spec:
    restartPolicy: Never
    serviceAccountName: {{ .account }}
    automountServiceAccountToken: true
    enableServiceLinks: false
    {{- with $root.Values.image.pullSecrets }}
    imagePullSecrets:
      {{- range . }}
      - name: {{ . | quote }}
      {{- end }}
    {{- end }}
    securityContext:
      {{- toYaml $root.Values.podSecurityContext | nindent 6 }}
    containers:
      - {{- include "flink.hooks.container" . | nindent 8 }}
    volumes:
      - name: hooks
        configMap: {name: {{ .account }}}
{{- end }}

{{/* Rights of the hooks: the record and the two Deployments by name; names of high availability's ConfigMaps are known only to Flink. */}}
{{- define "flink.hooks.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{{ include "flink.record.name" . }}]
    verbs: [get, patch, delete]
  {{- if include "flink.job.carried" . }}
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [create]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list]
  - apiGroups: [""]
    resources: [pods/log]
    verbs: [get]
  {{- end }}
  {{- if include "flink.leaderInKubernetes" . }}
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [get, list, patch, delete]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list]
  {{- else if and (include "flink.leaderOutside" .) (not (include "flink.job.carried" .)) }}
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{{ include "flink.record.name" . }}]
    verbs: [delete]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list]
  {{- end }}
  - apiGroups: [apps]
    resources: [deployments]
    resourceNames: [{{ include "flink.jobmanager.deployment" . }}, {{ include "flink.taskmanager.name" . }}]
    verbs: [get, patch]
  {{- if eq .Values.flink.mode "native" }}
  - apiGroups: [""]
    resources: [pods]
    verbs: [deletecollection]
  {{- end }}
{{- end }}

{{/* Gives an account the Role of the same name. */}}
{{- define "flink.hooks.binding" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ . }}
subjects:
  - kind: ServiceAccount
    name: {{ . }}
{{- end }}
