{{/*
The package of files/hooks/, and the release as it sees it: (dict "root" $ "objects" <those of this revision, which
the API server is to look at before a job is stopped for them>).
*/}}
{{- define "flink.hooks.data" -}}
{{- range $path, $_ := .root.Files.Glob "files/hooks/*.py" }}
{{ base $path }}: {{ $.root.Files.Get $path | toJson }}
{{- end }}
wanted.json: {{ printf "%s\n" (include "flink.hooks.wanted" . | fromJson | toPrettyJson) | quote }}
{{- end }}

{{/* files/hooks/wanted.py says what each field means. */}}
{{- define "flink.hooks.wanted" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $session := eq $values.flink.type "session" -}}
{{- $highAvailability := $values.highAvailability.type -}}
{{- if and (eq $highAvailability "none") (include "flink.highlyAvailable" $root) -}}
{{- $highAvailability = "other" -}}
{{- end -}}
{{- $zookeeper := dict -}}
{{- if include "flink.leaderInZooKeeper" $root -}}
{{- $zookeeper = dict "quorum" (include "flink.zookeeper.quorum" $root)
      "secret" (include "flink.zookeeper.secret" $root)
      "bundled" (eq (include "flink.zookeeper.bundled" $root) "true")
      "path" (printf "%s/%s" (include "flink.zookeeper.path" $root) (include "flink.fullname" $root)) -}}
{{- end -}}
{{- $pods := list -}}
{{- if include "flink.session.submits" $root -}}
{{- $pods = list (include "flink.session.object" $root | fromJson) -}}
{{- end -}}
{{- if eq $values.flink.mode "native" -}}
{{- $pods = append $pods (include "flink.native.object" $root | fromJson) -}}
{{- end -}}
{{- $job := dict "name" "" "parallelism" (include "flink.job.parallelism" $root | int)
      "specification" (include "flink.specification" $root)
      "upgrade_mode" $values.job.upgradeMode
      "state" $values.job.state "from_savepoint" $values.job.fromSavepoint "program" nil -}}
{{- dict
  "type" $values.flink.type
  "release" $root.Release.Name
  "chart" $root.Template.BasePath
  "name" (include "flink.fullname" $root)
  "record" (include "flink.record.name" $root)
  "labels" (include "flink.selectorLabels" (dict "root" $root) | fromYaml)
  "common_labels" (include "flink.texts" (dict "key" "commonLabels" "texts" $values.commonLabels) | fromYaml)
  "rest" (include "flink.rest.url" $root)
  "rest_secret" (include "flink.tls.hooksSecret" $root)
  "certificates" (include "flink.tls.coming" $root | fromJsonArray)
  "jobmanager_deployment" (include "flink.jobmanager.deployment" $root)
  "jobmanager_selector" (include "flink.selector" (dict "root" $root "component" "jobmanager"))
  "jobmanager_template" (include "flink.jobmanager.template" $root)
  "jobmanager_specification" (include "flink.specification" $root)
  "taskmanager_deployment" (ternary (include "flink.taskmanager.name" $root) "" (eq $values.flink.mode "standalone"))
  "min_taskmanagers" (include "flink.taskmanager.min" $root | int)
  "taskmanager_selector" (include "flink.selector" (dict "root" $root "component" "taskmanager"))
  "native_taskmanager_selector" (include "flink.native.selector" $root)
  "native_taskmanager_template" (include "flink.native.checksum" $root)
  "flink_version" (regexFind "^[0-9]+\\.[0-9]+" (include "flink.version" $root))
  "state_backend" (include "flink.option" (dict "root" $root "key" "state.backend.type"))
  "savepoint_format" (include "flink.state.savepointFormat" $root)
  "claims_own_checkpoints" (eq (include "flink.state.claimsOwn" $root) "true")
  "checkpoint_directory" (include "flink.option" (dict "root" $root "key" "execution.checkpointing.dir"))
  "savepoint_directory" (include "flink.option" (dict "root" $root "key" "execution.checkpointing.savepoint-dir"))
  "claim_directory" (include (ternary "flink.state.onClaim" "flink.state.onFiles" $session) $root)
  "stores" (include "flink.state.stores" $root | fromJson)
  "s3" (include "flink.state.s3" $root | fromJson | default nil)
  "download" (include "flink.job.download" $root | fromJson | default nil)
  "high_availability" $highAvailability
  "zookeeper" $zookeeper
  "jobs_kept_in" (include "flink.highAvailability.place" $root | fromJson)
  "jobs_survive_restart" (eq (include "flink.highlyAvailable" $root) "true")
  "timeout_seconds" (int $values.hooks.timeoutSeconds)
  "force_conflicts" $values.hooks.forceConflicts
  "keep_savepoints" (int $values.savepoints.keep)
  "keep_stop_savepoints" (int $values.savepoints.keepOfUpgrades)
  "jobs" (ternary (include "flink.session.entries" $root | fromJsonArray) (list $job) $session)
  "objects" .objects
  "pods" $pods
| toJson -}}
{{- end }}

{{/*
Labels that select the pods of a component, as the API server is asked: (dict "root" $ "component" "jobmanager").
*/}}
{{- define "flink.selector" -}}
{{- $pairs := list -}}
{{- range $name, $value := include "flink.selectorLabels" . | fromYaml -}}
{{- $pairs = append $pairs (printf "%s=%s" $name $value) -}}
{{- end -}}
{{- join "," $pairs -}}
{{- end }}

{{/*
All objects of this revision that are no hooks, as a JSON list. They are carried along instead of read from Helm's own
Secret, so that the hooks need no right to read Secrets.
*/}}
{{- define "flink.objects" -}}
{{- $objects := list -}}
{{- range $file := list
      "access/network-policies" "access/serviceaccount"
      "components/history-server" "components/sql-gateway" "components/zookeeper"
      "config/configmap" "config/files"
      "hive/hive"
      "hooks/savepoints"
      "jobmanager/httproute" "jobmanager/ingress" "jobmanager/jobmanager" "jobmanager/services"
      "monitoring/dashboard" "monitoring/podmonitor" "monitoring/prometheusrule"
      "native/native"
      "state/storage"
      "taskmanager/autoscaling" "taskmanager/poddisruptionbudget" "taskmanager/taskmanager"
      "tls/certificates"
      "ui-proxy/ui-proxy" -}}
{{- range regexSplit "(?m)^---\\s*$" (include (printf "%s/%s.yaml" $.Template.BasePath $file) $) -1 -}}
{{- $object := fromYaml . -}}
{{- /* A ConfigMap takes 1 MiB, this one too: what would fill it is left out. */ -}}
{{- if and $object (gt (len (toJson $object)) 50000) }}{{ $object = omit $object "data" }}{{ end -}}
{{- if $object }}{{ $objects = append $objects $object }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $objects -}}
{{- end }}
