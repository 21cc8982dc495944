{{/*
Every kind of pod: where its values lie, and what it takes from the JobManager for those that it does not set. A pod
that runs Flink with Flink's options needs what these name, so it takes its mounts too. The pods that Helm waits for
take none: a ConfigMap of this very revision is not there yet when they start. Nor do they take a class that may not be
there: a hook has to run to say so.
*/}}
{{- define "flink.roles" -}}
jobmanager: {values: [jobmanager]}
taskmanager: {values: [taskmanager]}
sql-gateway: {values: [sqlGateway], takes: mounts}
history-server: {values: [historyServer], takes: mounts}
submitter: {values: [session], takes: mounts}
hooks: {values: [hooks], takes: placement}
savepoint: {values: [savepoints, hooks], takes: placement}
zookeeper: {values: [highAvailability.zookeeper], takes: placement}
ui-proxy: {values: [uiProxy], takes: placement}
test: {values: [test], takes: placement}
{{- end }}

{{/*
The values of a pod, and under "sources" where each is from: the context of flink.pod. A value that stands is taken as a
whole, also an empty one. Of the JobManager's affinity only that to nodes is taken: the rest is about its own pods.
*/}}
{{- define "flink.role" -}}
{{- $placement := list "podLabels" "podAnnotations" "nodeSelector" "tolerations" "hostAliases" "dnsConfig" -}}
{{- /* These name one another. */ -}}
{{- $together := list "extraVolumes" "extraVolumeMounts" "initContainers" -}}
{{- $mounts := concat (list "priorityClassName" "runtimeClassName" "extraEnv" "extraEnvFrom") $together -}}
{{- $known := get (include "flink.roles" . | fromYaml) (.role | default .component) -}}
{{- $taken := dict "placement" $placement "mounts" (concat $placement $mounts) -}}
{{- $result := dict -}}
{{- $sources := dict -}}
{{- range $path := concat $known.values (ternary (list "jobmanager") list (hasKey $known "takes")) -}}
{{- $values := $.root.Values -}}
{{- range splitList "." $path }}{{ $values = get $values . }}{{ end -}}
{{- $own := has $path $known.values -}}
{{- $volumes := false -}}
{{- range $key := $together }}{{ if hasKey $result $key }}{{ $volumes = true }}{{ end }}{{ end -}}
{{- range $key, $value := $values -}}
{{- $left := and $volumes (has $key $together) -}}
{{- $wanted := or $own (and (has $key (get $taken ($known.takes | default ""))) (not $left)) -}}
{{- if and $wanted (not (hasKey $result $key)) -}}
{{- $_ := set $result $key $value -}}
{{- $_ := set $sources $key $path -}}
{{- end -}}
{{- end -}}
{{- if not (or $own (hasKey $result "affinity")) -}}
{{- $_ := set $result "nodeAffinity" (pick ($values.affinity | default dict) "nodeAffinity") -}}
{{- end -}}
{{- end -}}
{{- toYaml (set $result "sources" $sources) -}}
{{- end }}
