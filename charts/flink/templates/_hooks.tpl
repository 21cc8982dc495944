{{- define "flink.hooks.name" -}}{{ include "flink.fullname" . }}-hooks{{- end }}
{{- define "flink.record.name" -}}{{ include "flink.fullname" . }}-record{{- end }}

{{/* Within the limit of a CronJob's name. */}}
{{- define "flink.savepoints.name" -}}
{{ include "flink.shorten" (dict "name" (include "flink.fullname" .) "limit" 42) }}-savepoint
{{- end }}

{{/* Whether there is a job to take savepoints of, and a directory for them. */}}
{{- define "flink.savepoints.offered" -}}
{{- if and (include "flink.job.carried" .) (include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir")) }}true{{ end -}}
{{- end }}

{{/* An image with Python: a Python job brings it along. */}}
{{- define "flink.hooks.image" -}}
{{- $own := and (eq .Values.flink.type "job") (not (or .Values.job.jar.file .Values.job.jar.entryClass .Values.job.sql.file)) -}}
{{- .Values.hooks.image | default (ternary (include "flink.image" .) "python:3.11-slim-bookworm" $own) -}}
{{- end }}

{{/*
The package of files/hooks/, and the release as it sees it: (dict "root" $ "objects" <those of this revision, which the API server is to look at
before a job is stopped for them>).
*/}}
{{- define "flink.hooks.data" -}}
{{- range $path, $_ := .root.Files.Glob "files/hooks/*.py" }}
{{ base $path }}: {{ $.root.Files.Get $path | toJson }}
{{- end }}
wanted.json: {{ printf "%s\n" (include "flink.hooks.wanted" . | fromJson | toPrettyJson) | toJson }}
{{- end }}

{{/* files/hooks/wanted.py says what each field means. */}}
{{- define "flink.hooks.wanted" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $session := eq $values.flink.type "session" -}}
{{- $highAvailability := $values.highAvailability.type -}}
{{- if and (eq $highAvailability "none") (include "flink.highlyAvailable" $root) }}{{ $highAvailability = "other" }}{{ end -}}
{{- $zookeeper := dict -}}
{{- if include "flink.leaderInZooKeeper" $root -}}
{{- $zookeeper = dict "quorum" (include "flink.zookeeper.quorum" $root) "bundled" (eq (include "flink.zookeeper.bundled" $root) "true")
      "path" (printf "%s/%s" (include "flink.zookeeper.path" $root) (include "flink.fullname" $root)) -}}
{{- end -}}
{{- $pods := list -}}
{{- if include "flink.session.submits" $root }}{{ $pods = list (include "flink.session.submitter.object" $root | fromJson) }}{{ end -}}
{{- $job := dict "name" "" "specification" (include "flink.specification" $root) "upgrade_mode" $values.job.upgradeMode
      "state" $values.job.state "from_savepoint" $values.job.fromSavepoint "program" nil -}}
{{- dict
  "type" $values.flink.type
  "release" $root.Release.Name
  "chart" $root.Template.BasePath
  "name" (include "flink.fullname" $root)
  "record" (include "flink.record.name" $root)
  "labels" (include "flink.selectorLabels" (dict "root" $root) | fromYaml)
  "common_labels" $values.commonLabels
  "rest" (printf "http://%s:%v" (include "flink.rest.name" $root) $values.rest.port)
  "jobmanager_deployment" (include "flink.jobmanager.deployment" $root)
  "jobmanager_selector" (include "flink.selector" (dict "root" $root "component" "jobmanager"))
  "jobmanager_template" (include "flink.jobmanager.template" $root)
  "jobmanager_specification" (include "flink.specification" $root)
  "taskmanager_deployment" (ternary (include "flink.taskmanager.name" $root) "" (eq $values.flink.mode "standalone"))
  "taskmanager_selector" (include "flink.selector" (dict "root" $root "component" "taskmanager"))
  "native_taskmanager_selector" (ternary "" (include "flink.selector" (dict "root" $root "component" "taskmanager")) (eq $values.flink.mode "standalone"))
  "native_taskmanager_template" (include "flink.native.checksum" $root)
  "flink_version" (regexFind "^[0-9]+\\.[0-9]+" (include "flink.version" $root))
  "state_backend" (include "flink.option" (dict "root" $root "key" "state.backend.type"))
  "savepoint_format" (include "flink.state.savepointFormat" $root)
  "claims_own_checkpoints" (eq (include "flink.state.claimsOwn" $root) "true")
  "checkpoint_directory" (include "flink.option" (dict "root" $root "key" "execution.checkpointing.dir"))
  "savepoint_directory" (include "flink.option" (dict "root" $root "key" "execution.checkpointing.savepoint-dir"))
  "claim_directory" (include (ternary "flink.state.onClaim" "flink.state.onFiles" $session) $root)
  "stores" (include "flink.state.stores" $root | fromJson)
  "download" (include "flink.job.download" $root | fromJson | default nil)
  "high_availability" $highAvailability
  "zookeeper" $zookeeper
  "jobs_kept_in" (include "flink.highAvailability.place" $root | fromJson)
  "jobs_survive_restart" (eq (include "flink.highlyAvailable" $root) "true")
  "timeout_seconds" (int $values.hooks.timeoutSeconds)
  "keep_savepoints" (int $values.savepoints.keep)
  "keep_stop_savepoints" (int $values.savepoints.keepOfUpgrades)
  "jobs" (ternary (include "flink.session.entries" $root | fromJsonArray) (list $job) $session)
  "objects" .objects
  "pods" $pods
| toJson -}}
{{- end }}

{{/* Labels that select the pods of a component, as the API server is asked: (dict "root" $ "component" "jobmanager"). */}}
{{- define "flink.selector" -}}
{{- include "flink.selectorLabels" . | replace ": " "=" | replace "\n" "," -}}
{{- end }}

{{/*
All objects of this revision that are no hooks, as a JSON list. They are carried along instead of read from Helm's own Secret, so that the
hooks need no right to read Secrets.
*/}}
{{- define "flink.objects" -}}
{{- $objects := list -}}
{{- range $file := list "configmap" "history-server" "ingress" "jobmanager" "native" "poddisruptionbudget" "savepoints" "serviceaccount"
      "services" "session" "sql-gateway" "storage" "taskmanager" "zookeeper" -}}
{{- range regexSplit "(?m)^---\\s*$" (include (printf "%s/%s.yaml" $.Template.BasePath $file) $) -1 -}}
{{- $object := fromYaml . -}}
{{- /* A ConfigMap takes 1 MiB, this one too: what would fill it is left out. */ -}}
{{- if and $object (gt (len (toJson $object)) 50000) }}{{ $object = omit $object "data" }}{{ end -}}
{{- if $object }}{{ $objects = append $objects $object }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $objects -}}
{{- end }}

{{/* How often a Job or CronJob of the hooks is tried, and for how long. */}}
{{- define "flink.hooks.tries" -}}
activeDeadlineSeconds: {{ add .Values.hooks.timeoutSeconds 20 }}
# A pod that lost its node is tried again; an operation that failed is not.
backoffLimit: 2
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: {operator: In, values: [1]}
{{- end }}

{{/* The container that runs an event: (dict "root" $ "event" "..."). */}}
{{- define "flink.hooks.container" -}}
{{- $root := .root -}}
name: {{ .event }}
image: {{ include "flink.hooks.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: [python3, -B, -m, hooks, {{ .event }}]
workingDir: /
resources:
  requests: {cpu: 50m, memory: 64Mi}
  limits: {memory: 64Mi}
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  {{- toYaml $root.Values.securityContext | nindent 2 }}
volumeMounts:
  - {name: hooks, mountPath: /hooks, readOnly: true}
{{- end }}

{{/* What a Job or CronJob that runs an event has in common: (dict "root" $ "account" "..." "scripts" <ConfigMap> "event" "..."). */}}
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
        configMap: {name: {{ .scripts }}}
{{- end }}

{{/*
Rights of the hooks before and after an operation. Names are there where they are known. To have the API server look at objects (a dry run)
takes the rights to make and change them: (dict "root" $ "objects" <those of this revision>).
*/}}
{{- define "flink.hooks.role" -}}
{{- $objects := .objects -}}
{{- with .root -}}
{{- $names := dict "/configmaps" (list (include "flink.record.name" .)) "apps/deployments" (list (include "flink.fullname" .) (include "flink.jobmanager.name" .)) -}}
{{- if eq .Values.flink.mode "standalone" -}}
{{- $_ := set $names "apps/deployments" (append (get $names "apps/deployments") (include "flink.taskmanager.name" .)) -}}
{{- end -}}
{{- if include "flink.leaderInKubernetes" . -}}
{{- $_ := set $names "/configmaps" (append (get $names "/configmaps") (printf "%s-cluster-config-map" (include "flink.fullname" .))) -}}
{{- end -}}
{{- if eq .Values.flink.type "session" -}}
{{- $_ := set $names "/configmaps" (append (get $names "/configmaps") (printf "%s-jobs" (include "flink.fullname" .))) -}}
{{- end -}}
{{- range $objects -}}
{{- if not (has .kind (list "Role" "RoleBinding")) -}}
{{- $kind := lower .kind -}}
{{- $plural := hasSuffix "s" $kind | ternary (printf "%ses" $kind) (hasSuffix "y" $kind | ternary (printf "%sies" (trimSuffix "y" $kind)) (printf "%ss" $kind)) -}}
{{- $key := printf "%s/%s" (contains "/" .apiVersion | ternary (splitList "/" .apiVersion | first) "") $plural -}}
{{- $_ := set $names $key (append (get $names $key | default list) .metadata.name) -}}
{{- end -}}
{{- end -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
rules:
  {{- range $key, $known := $names }}
  - apiGroups: [{{ splitList "/" $key | first | quote }}]
    resources: [{{ splitList "/" $key | last }}]
    resourceNames: {{ $known | uniq | sortAlpha | toJson }}
    verbs: [get, patch]
  - apiGroups: [{{ splitList "/" $key | first | quote }}]
    resources: [{{ splitList "/" $key | last }}]
    verbs: [create]
  {{- end }}
  - apiGroups: [""]
    resources: [pods]
    verbs: [list, create{{ if eq .Values.flink.type "job" }}, delete{{ end }}{{ if eq .Values.flink.mode "native" }}, deletecollection{{ end }}]
  # A JobManager whose name was another one is found by its labels.
  - apiGroups: [apps]
    resources: [deployments]
    verbs: [list]
  # The one with the state may be another one than that of the coming revision.
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [get]
{{- end }}
{{- end }}

{{/* Rights of the hook after an uninstall: the names of high availability's ConfigMaps are known only to Flink. */}}
{{- define "flink.hooks.uninstallRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{{ include "flink.record.name" . }}{{ if eq .Values.flink.type "session" }}, {{ include "flink.fullname" . }}-jobs{{ end }}]
    verbs: [get, delete]
  - apiGroups: [apps]
    resources: [deployments]
    resourceNames: [{{ include "flink.fullname" . }}, {{ include "flink.jobmanager.name" . }}]
    verbs: [get]
  - apiGroups: [""]
    resources: [pods]
    verbs: [list]
  # Whether the claim with the state stays.
  - apiGroups: [""]
    resources: [persistentvolumeclaims]
    verbs: [get]
  {{- if include "flink.leaderInKubernetes" . }}
  - apiGroups: [""]
    resources: [configmaps]
    verbs: [list, delete]
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
