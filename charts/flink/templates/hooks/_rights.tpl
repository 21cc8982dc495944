{{/*
Rights of the hooks before and after an operation. Names are there where they are known. To have the API server look
at objects (a dry run) takes the rights to make and change them: (dict "root" $ "objects" <those of this revision>).
*/}}
{{- define "flink.hooks.rules" -}}
{{- $objects := .objects -}}
{{- with .root -}}
{{- $name := include "flink.fullname" . -}}
{{- $configMaps := list (include "flink.record.name" .) -}}
{{- $deployments := list $name (include "flink.jobmanager.name" .) -}}
{{- if eq .Values.flink.mode "standalone" -}}
{{- $deployments = append $deployments (include "flink.taskmanager.name" .) -}}
{{- end -}}
{{- if include "flink.leaderInKubernetes" . -}}
{{- $configMaps = append $configMaps (printf "%s-cluster-config-map" $name) -}}
{{- end -}}
{{- if eq .Values.flink.type "session" }}{{ $configMaps = append $configMaps (printf "%s-jobs" $name) }}{{ end -}}
{{- $names := dict "/configmaps" $configMaps "apps/deployments" $deployments -}}
{{- range $objects -}}
{{- if not (has .kind (list "Role" "RoleBinding")) -}}
{{- $kind := lower .kind -}}
{{- $plural := hasSuffix "s" $kind | ternary (printf "%ses" $kind)
      (hasSuffix "y" $kind | ternary (printf "%sies" (trimSuffix "y" $kind)) (printf "%ss" $kind)) -}}
{{- $key := printf "%s/%s" (contains "/" .apiVersion | ternary (splitList "/" .apiVersion | first) "") $plural -}}
{{- $_ := set $names $key (append (get $names $key | default list) .metadata.name) -}}
{{- end -}}
{{- end -}}
{{- $ofPods := list "list" "create" -}}
{{- if eq .Values.flink.type "job" }}{{ $ofPods = append $ofPods "delete" }}{{ end -}}
{{- if eq .Values.flink.mode "native" }}{{ $ofPods = append $ofPods "deletecollection" }}{{ end -}}
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
  verbs: {{ toJson $ofPods }}
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
{{- define "flink.hooks.uninstallRules" -}}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames:
    - {{ include "flink.record.name" . }}
    {{- if eq .Values.flink.type "session" }}
    - {{ include "flink.fullname" . }}-jobs
    {{- end }}
  verbs: [get, patch, delete]
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
