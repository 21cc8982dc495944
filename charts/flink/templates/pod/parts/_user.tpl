{{/* The values of the user, last in every pod. What is not a list or a map of its parts stands in flink.pod. */}}
{{- define "flink.part.user" -}}
{{- $root := .root -}}
{{- $role := .values -}}
{{- $sources := $role.sources -}}
{{- $labels := include "flink.texts" (dict "key" (printf "%s.podLabels" $sources.podLabels) "texts" $role.podLabels)
      | fromYaml -}}
{{- $annotations := include "flink.texts" (dict "key" (printf "%s.podAnnotations" $sources.podAnnotations)
      "texts" $role.podAnnotations) | fromYaml -}}
{{- range $key, $value := include "flink.common" $root | fromYaml -}}
{{- range $name, $text := $value -}}
{{- $map := ternary $labels $annotations (eq $key "labels") -}}
{{- if not (hasKey $map $name) }}{{ $_ := set $map $name $text }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $result := dict "labels" $labels "annotations" $annotations -}}
{{- range $key, $value := dict "envFrom" "extraEnvFrom" "ports" "extraPorts" "volumes" "extraVolumes" "volumeMounts"
      "extraVolumeMounts" "initContainers" "initContainers" "containers" "sidecars" -}}
{{- $path := printf "%s.%s" (get $role.sources $value) $value -}}
{{- $list := include "flink.rendered" (dict "root" $root "key" $path "list" (get $role $value)) -}}
{{- $_ := set $result $key ($list | fromYamlArray) -}}
{{- end -}}
{{- $_ := set $result "env" (include "flink.env" . | fromYamlArray) -}}
{{- if has .restartPolicy (list "Never" "OnFailure") -}}
{{- /* A container that runs on would keep such a pod from ending; Kubernetes ends one of this kind itself. */ -}}
{{- $beside := list -}}
{{- range $result.containers }}{{ $beside = append $beside (set . "restartPolicy" "Always") }}{{ end -}}
{{- $_ := set $result "initContainers" (concat $beside $result.initContainers) -}}
{{- $_ := set $result "containers" list -}}
{{- end -}}
{{- toYaml $result -}}
{{- end }}

{{/* The variables of the user, as YAML: the context of flink.pod. */}}
{{- define "flink.env" -}}
{{- $path := printf "%s.extraEnv" .values.sources.extraEnv -}}
{{- $env := include "flink.rendered" (dict "root" .root "key" $path "list" .values.extraEnv) | fromYamlArray -}}
{{- range $env -}}
{{- if hasKey . "value" }}{{ $_ := set . "value" (include "flink.word" (dict "key" .name "value" .value)) }}{{ end -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* What every pod has of the user's, wherever else it runs. */}}
{{- define "flink.common" -}}
labels:
  {{- include "flink.texts" (dict "key" "commonPodLabels" "texts" .Values.commonPodLabels) | nindent 2 }}
annotations:
  {{- include "flink.texts" (dict "key" "commonPodAnnotations" "texts" .Values.commonPodAnnotations) | nindent 2 }}
{{- end }}

{{/*
A list of the user's with its templates rendered, as YAML: (dict "root" $ "key" "..." "list" <list or nothing>).
*/}}
{{- define "flink.rendered" -}}
{{- $text := "[]" -}}
{{- with .list }}{{ $text = tpl (toYaml .) $.root }}{{ end -}}
{{- range $text | fromYamlArray -}}
{{- if kindIs "string" . -}}
{{- fail (printf "%s is no list of maps once its templates are rendered: %s" $.key .) -}}
{{- end -}}
{{- end -}}
{{- $text -}}
{{- end }}
