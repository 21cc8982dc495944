{{- define "flink.validate.name" -}}
{{- $full := include "flink.fullname" . -}}
{{- if or (gt (len .Values.fullnameOverride) 45) (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $full)) -}}
{{- fail (printf (cat
      "The objects would be called %s, but a Service takes only small letters, digits and hyphens, a letter first: set"
      "fullnameOverride to such a name of at most 45 characters.") (.Values.fullnameOverride | default $full)) -}}
{{- end -}}
{{- $objects := include "flink.labels" (dict "root" (set (omit . "Values") "Values" (omit .Values "commonLabels"))
      "component" "any") -}}
{{- range $key, $_ := .Values.commonLabels -}}
{{- if hasKey ($objects | fromYaml) $key -}}
{{- fail (printf "commonLabels sets %s, which the chart sets itself: use a label of your own." $key) -}}
{{- end -}}
{{- end -}}
{{- range $key, $_ := .Values.commonAnnotations -}}
{{- if regexMatch "^(flink|helm\\.sh|meta\\.helm\\.sh)/" $key -}}
{{- fail (printf (cat "commonAnnotations sets %s, which the chart or Helm sets itself: use an annotation of your"
      "own. An object of yours that is a hook belongs in extraObjects.") $key) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What pods cannot have, and fields that have a value of their own. */}}
{{- define "flink.validate.pods" -}}
{{- $rewriting := dict
      "ENABLE_BUILT_IN_PLUGINS" "write the plugin's name into flink.plugins, for example flink-azure-fs-hadoop"
      "FLINK_PROPERTIES" "write its lines into flink.config"
      "JOB_MANAGER_RPC_ADDRESS" "the chart sets the address, so leave it out"
      "TASK_MANAGER_NUMBER_OF_TASK_SLOTS" "set taskmanager.slots" -}}
{{- $other := dict "containers" "sidecars" "initContainers" "initContainers" "volumes" "extraVolumes"
      "securityContext" "podSecurityContext" "serviceAccount" "serviceAccountName" -}}
{{- $own := list "affinity" "dnsConfig" "hostAliases" "nodeSelector" "priorityClassName" "runtimeClassName"
      "serviceAccountName" "terminationGracePeriodSeconds" "tolerations" "topologySpreadConstraints" -}}
{{- range $name, $known := include "flink.roles" . | fromYaml -}}
{{- $path := first $known.values -}}
{{- $role := include "flink.role" (dict "root" $ "role" $name) | fromYaml -}}
{{- range $variable := $role.extraEnv -}}
{{- with get $rewriting $variable.name -}}
{{- fail (printf (cat
      "%s.extraEnv sets %s, by which the image's entrypoint changes files that are read-only here: %s.")
      $role.sources.extraEnv $variable.name .) -}}
{{- end -}}
{{- end -}}
{{- range $field, $_ := $role.podSpec -}}
{{- $instead := "" -}}
{{- if has $field $own }}{{ $instead = printf "%s.%s" $path $field }}{{ end -}}
{{- with get $other $field }}{{ $instead = printf "%s.%s" $path . }}{{ end -}}
{{- if eq $field "imagePullSecrets" }}{{ $instead = "image.pullSecrets" }}{{ end -}}
{{- if eq $field "automountServiceAccountToken" -}}
{{- /* Of the others no value tells who gets a token. */ -}}
{{- if has $name (list "jobmanager" "taskmanager" "sql-gateway" "history-server") -}}
{{- $instead = "serviceAccount.automountToken" -}}
{{- else if has $name (list "hooks" "savepoint") -}}
{{- fail (printf "%s.podSpec sets %s, but a hook asks Kubernetes and always has a token: leave it out." $path
      $field) -}}
{{- end -}}
{{- end -}}
{{- with $instead -}}
{{- fail (printf "%s.podSpec sets %s, which has a value of its own: set %s instead." $path $field .) -}}
{{- end -}}
{{- if eq $field "restartPolicy" -}}
{{- fail (printf "%s.podSpec sets restartPolicy, which belongs to the kind of the pod: leave it out." $path) -}}
{{- end -}}
{{- end -}}
{{- include "flink.validate.resources" (dict "path" $role.sources.resources "resources" $role.resources) -}}
{{- if $role.scratch -}}
{{- if hasKey $role.scratch "name" -}}
{{- fail (printf "%s.scratch has a name, but the chart mounts it by its own: leave the name out." $path) -}}
{{- end -}}
{{- range $field := list "sizeLimit" "medium" -}}
{{- if hasKey $role.scratch $field -}}
{{- fail (printf "%s.scratch has %s, but it is a volume as Kubernetes writes it: write {emptyDir: {%s: ...}}."
      $path $field $field) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and ($role.strategy).rollingUpdate (ne $role.strategy.type "RollingUpdate") -}}
{{- fail (printf "%s.strategy has rollingUpdate, but its type is %s: set %s.strategy.type=RollingUpdate." $path
      $role.strategy.type $path) -}}
{{- end -}}
{{- $ends := or (has $name (list "hooks" "savepoint" "submitter" "test"))
      (and (include "flink.bounded" $) (has $name (list "jobmanager" "taskmanager"))) -}}
{{- if and $ends $role.sidecars (semverCompare "<1.29-0" $.Capabilities.KubeVersion.Version) -}}
{{- fail (printf (cat
      "%s.sidecars is set for a pod that ends, which only Kubernetes 1.29 and later can end together with them, and"
      "this is %s: leave them out.") $path $.Capabilities.KubeVersion.Version) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A process that would not even start: (dict "root" $). */}}
{{- define "flink.validate.memory" -}}
{{- $least := dict "jobmanager" 640 "taskmanager" 1024 -}}
{{- range $role, $mebibytes := $least -}}
{{- $limit := dig "resources" "limits" "memory" "" (get $.Values $role) -}}
{{- $given := include "flink.mebibytes" (dict "key" (printf "%s.resources.limits.memory" $role) "quantity" $limit) -}}
{{- $tuned := false -}}
{{- range $key, $_ := include "flink.options.written" $ | fromJson -}}
{{- if hasPrefix (printf "%s.memory." $role) $key -}}
{{- $tuned = true -}}
{{- end -}}
{{- end -}}
{{- if and (lt (int $given) (int $mebibytes)) (not $tuned) -}}
{{- fail (printf (cat "%s.resources.limits.memory is %v, with which Flink does not start, for its own parts take more:"
      "write at least %dMi, or set %s.memory.* in flink.config.") $role $limit $mebibytes $role) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Requests above their limits, as far as the quantities are plain ones: (dict "path" "..." "resources" <a map>). */}}
{{- define "flink.validate.resources" -}}
{{- range $resource := list "memory" "cpu" -}}
{{- $quantity := dict -}}
{{- range $kind := list "requests" "limits" -}}
{{- $given := dig $kind $resource "" $.resources -}}
{{- with include (ternary "flink.cores" "flink.mebibytes.plain" (eq $resource "cpu")) $given -}}
{{- $_ := set $quantity $kind (float64 .) -}}
{{- end -}}
{{- end -}}
{{- if eq (len $quantity) 2 -}}
{{- if gt $quantity.requests $quantity.limits -}}
{{- fail (printf "%s.resources.requests.%s (%v) is above limits.%s (%v): raise the limit, or lower the request."
      $.path $resource (get $.resources.requests $resource) $resource (get $.resources.limits $resource)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}
