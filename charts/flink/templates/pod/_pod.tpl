{{/*
The pod template (metadata and spec) of every component, as YAML: (dict
  "root" $
  "component" "jobmanager"    the label of its pods, and the name of its main container unless "name" is given
  "role" "jobmanager"         whose values it has, see flink.roles; the component if it is left out
  "parts" (list "config")     what the pod is made of, in this order: a template flink.part.<name> each, in pod/parts
  "container" <YAML>          what is the main container's own: arguments, ports, probes
  "image", "account", "token" what is not Flink's image, not the release's account, not the token as Flink needs it
  "restartPolicy"             of a pod that ends)
A part is given the same dict and returns some of: labels, annotations, affinity, initContainers, containers, volumes,
and for the main container env, envFrom, ports, volumeMounts. The values of the user are the last part.
*/}}
{{- define "flink.pod" -}}
{{- $root := .root -}}
{{- $context := set (omit . "values") "values" (include "flink.role" . | fromYaml) -}}
{{- $role := $context.values -}}
{{- $name := .name | default .component -}}
{{- $pod := dict "labels" (include "flink.selectorLabels" . | fromYaml) "annotations" dict "affinity" dict
      "initContainers" list "containers" (list (dict "name" $name)) "volumes" list
      "env" list "envFrom" list "ports" ((.container | fromYaml).ports | default list) "volumeMounts" list -}}
{{- range $part := append .parts "user" -}}
{{- $more := include (printf "flink.part.%s" $part) $context | fromYaml -}}
{{- if eq $part "user" }}{{ include "flink.pod.validate" (dict "pod" $pod "more" $more "role" $role) }}{{ end -}}
{{- range $key, $value := $more -}}
{{- if kindIs "map" $value -}}
{{- $_ := set $pod $key (merge (get $pod $key) $value) -}}
{{- else if $value -}}
{{- $_ := set $pod $key (concat (get $pod $key) $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $main := include "flink.pod.main" (dict "context" $context "name" $name "pod" $pod) | fromYaml -}}
metadata:
  labels:
    {{- toYaml $pod.labels | nindent 4 }}
  {{- with $pod.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- $spec := include "flink.pod.spec" $context | fromYaml -}}
  {{- $_ := set $spec "containers" (prepend (rest $pod.containers) $main) -}}
  {{- range $key := list "initContainers" "volumes" -}}
  {{- with get $pod $key }}{{ $_ := set $spec $key . }}{{ end -}}
  {{- end -}}
  {{- with $role.affinity | default (merge $pod.affinity ($role.nodeAffinity | default dict)) -}}
  {{- $_ := set $spec "affinity" . -}}
  {{- end -}}
  {{- range $key, $value := $role.podSpec }}{{ $_ := set $spec $key $value }}{{ end -}}
  {{- toYaml $spec | nindent 2 }}
{{- end }}

{{/* What the pod has besides its containers and volumes: the context of flink.pod. */}}
{{- define "flink.pod.spec" -}}
{{- $values := .root.Values -}}
{{- $role := .values -}}
{{- $account := .account | default (include "flink.serviceAccount.name" .root) -}}
serviceAccountName: {{ $role.serviceAccountName | default $account | quote }}
automountServiceAccountToken: {{ .token | default (include "flink.token" .) | default "false" }}
enableServiceLinks: false
{{- with .restartPolicy }}
restartPolicy: {{ . }}
{{- end }}
{{- include "flink.pullSecrets" (concat $values.image.pullSecrets ($values.global.imagePullSecrets | default list)) }}
securityContext:
  {{- include "flink.over" (list $values.podSecurityContext $role.podSecurityContext) | nindent 2 }}
{{- with $role.nodeSelector }}
nodeSelector:
  {{- include "flink.texts" (dict "key" (printf "%s.nodeSelector" $role.sources.nodeSelector) "texts" .) | nindent 2 }}
{{- end }}
{{- range $key := list "terminationGracePeriodSeconds" "priorityClassName" "runtimeClassName" "tolerations"
      "topologySpreadConstraints" "hostAliases" "dnsConfig" }}
{{- with get $role $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- end }}

{{/* The main container: (dict "context" <that of flink.pod> "name" "..." "pod" <what the parts gave>). */}}
{{- define "flink.pod.main" -}}
{{- $values := .context.root.Values -}}
{{- $role := .context.values -}}
{{- $own := .context.container | fromYaml -}}
{{- range $probe := list "startupProbe" "readinessProbe" "livenessProbe" -}}
{{- if hasKey $own $probe -}}
{{- $timed := include "flink.over" (list (get $own $probe) (get $role $probe)) | fromYaml -}}
{{- if and (eq $probe "startupProbe") $role.startupSeconds (not (dig "startupProbe" "failureThreshold" 0 $role)) -}}
{{- /* As often as fits, rounded up. */ -}}
{{- $period := int $timed.periodSeconds -}}
{{- $_ := set $timed "failureThreshold" (div (add (int $role.startupSeconds) (sub $period 1)) $period) -}}
{{- end -}}
{{- $_ := set $own $probe $timed -}}
{{- end -}}
{{- end -}}
{{- range $key := list "env" "envFrom" "ports" "volumeMounts" -}}
{{- with get $.pod $key }}{{ $_ := set $own $key . }}{{ end -}}
{{- end -}}
{{- with $role.lifecycle }}{{ $_ := set $own "lifecycle" . }}{{ end -}}
{{- toYaml $own }}
name: {{ .name }}
image: {{ .context.image | default (include "flink.image" .context.root) | quote }}
imagePullPolicy: {{ $values.image.pullPolicy }}
resources:
  {{- include "flink.resources" $role.resources | nindent 2 }}
securityContext:
  {{- include "flink.over" (list $values.securityContext $role.securityContext) | nindent 2 }}
{{- end }}

{{/* What the chart's own init containers have in common: the context of flink.pod. */}}
{{- define "flink.pod.init" -}}
{{- $values := .root.Values -}}
imagePullPolicy: {{ $values.image.pullPolicy }}
resources:
  {{- include "flink.resources" $values.initResources | nindent 2 }}
securityContext:
  {{- include "flink.over" (list $values.securityContext .values.securityContext) | nindent 2 }}
{{- end }}

{{/* Names, or as Kubernetes writes them, {name: ...}: <list>. */}}
{{- define "flink.pullSecrets" -}}
{{- with . }}
imagePullSecrets:
  {{- range . }}
  {{- if kindIs "string" . }}
  - name: {{ . | quote }}
  {{- else }}
  - name: {{ .name | quote }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/* With the memory that Kubernetes would request by itself. */}}
{{- define "flink.resources" -}}
{{- $resources := deepCopy . -}}
{{- $requests := $resources.requests | default dict -}}
{{- if not (hasKey $requests "memory") }}{{ $_ := set $requests "memory" $resources.limits.memory }}{{ end -}}
{{- toYaml (set $resources "requests" $requests) -}}
{{- end }}

{{/*
Some fields over others, as YAML; merge would take false and 0 for nothing: (list <fields> <what wins, or nil>).
*/}}
{{- define "flink.over" -}}
{{- $fields := deepCopy (first .) -}}
{{- range $key, $value := last . | default dict }}{{ $_ := set $fields $key $value }}{{ end -}}
{{- toYaml $fields -}}
{{- end }}

{{/*
Whether Flink asks Kubernetes in this pod, for its leader or for TaskManagers, or the values say who gets a token.
*/}}
{{- define "flink.token" -}}
{{- $values := .root.Values -}}
{{- $process := has .component (list "jobmanager" "taskmanager") -}}
{{- if and (not (kindIs "invalid" $values.serviceAccount.automountToken))
      (or $process (has .component (list "sql-gateway" "history-server"))) -}}
{{- if $values.serviceAccount.automountToken }}true{{ end -}}
{{- else if and $process (include "flink.leaderInKubernetes" .root) -}}
true
{{- else if and (eq .component "jobmanager") (include "flink.makesTaskManagers" .root) -}}
true
{{- end -}}
{{- end }}

{{/*
Names that the user's part shares with the others: (dict "pod" <what these gave> "more" <the user's> "role" <values>).
*/}}
{{- define "flink.pod.validate" -}}
{{- $role := .role -}}
{{- include "flink.pod.mounts" (dict "mounts" .pod.volumeMounts "more" .more.volumeMounts "role" $role) -}}
{{- $values := dict "env" "extraEnv" "ports" "extraPorts" "volumes" "extraVolumes" "initContainers" "initContainers"
      "containers" "sidecars" "labels" "podLabels" "annotations" "podAnnotations" -}}
{{- range $key, $value := $values -}}
{{- $used := list -}}
{{- $names := list -}}
{{- if has $value (list "podLabels" "podAnnotations") -}}
{{- $used = keys (get $.pod $key) -}}
{{- $names = keys (get $.more $key) -}}
{{- else -}}
{{- /* Containers of both kinds share one set of names. */ -}}
{{- $both := list "containers" "initContainers" -}}
{{- $lists := ternary $both (list $key) (has $key $both) -}}
{{- range $list := $lists }}{{ range get $.pod $list }}{{ $used = append $used .name }}{{ end }}{{ end -}}
{{- range get $.more $key }}{{ $names = append $names .name }}{{ end -}}
{{- end -}}
{{- range $name := $names -}}
{{- if has $name $used -}}
{{- $path := printf "%s.%s" (get $role.sources $value) $value -}}
{{- if and (hasPrefix "pod" $value) (not (hasKey (get $role $value | default dict) $name)) -}}
{{- $path = printf "common%s" (title $value) -}}
{{- end -}}
{{- range ternary $role.sidecars list (hasSuffix "ontainers" $key) -}}
{{- if eq .name $name }}{{ $path = printf "%s.sidecars" $role.sources.sidecars }}{{ end -}}
{{- end -}}
{{- fail (printf "%s has %s, which is one of the chart's own in this pod: give yours another name, or leave it out."
      $path $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
Paths that two volumes would have in one container: (dict "mounts" <the chart's> "more" <the user's> "role" <values>).
*/}}
{{- define "flink.pod.mounts" -}}
{{- $role := .role -}}
{{- $remedies := dict "/tmp" "set %s.scratch" "/opt/flink/log" "let logging.log4jConsole write to a path of your own"
      "/opt/flink/conf" "set flink.config, flink.configFrom and logging" -}}
{{- range $mount := .more -}}
{{- $path := clean $mount.mountPath -}}
{{- range $.mounts -}}
{{- if eq .mountPath $path -}}
{{- $source := $role.sources.extraVolumeMounts -}}
{{- $remedy := get $remedies $path | default "take another path" | replace "%s" $role.sources.resources -}}
{{- fail (printf "%s.extraVolumeMounts has %s, where the chart mounts a volume of its own: %s."
      $source $path $remedy) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
