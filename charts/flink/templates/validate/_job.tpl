{{/* A bounded job runs once, from its beginning to its end. */}}
{{- define "flink.validate.bounded" -}}
{{- if and .Values.job.bounded (ne .Values.flink.type "job") -}}
{{- fail (cat
      "job.bounded is true, but flink.type is session, where no job starts with the cluster: set flink.type=job, or"
      "leave it out.") -}}
{{- end -}}
{{- if include "flink.bounded" . -}}
{{- range $key, $set := dict
      "job.upgradeMode" (ne .Values.job.upgradeMode "")
      "job.state" (ne .Values.job.state "running")
      "job.savepointOnUninstall" .Values.job.savepointOnUninstall
      "savepoints.schedule" (ne .Values.savepoints.schedule "") -}}
{{- if $set -}}
{{- fail (printf (cat
      "%s is set, but job.bounded is true, and nothing carries the state of a job that ends by itself: leave one of"
      "them out.") $key) -}}
{{- end -}}
{{- end -}}
{{- if .Values.taskmanager.podDisruptionBudget.enabled -}}
{{- fail (cat
      "taskmanager.podDisruptionBudget.enabled is true, but job.bounded is true, and of a Job's pods Kubernetes does"
      "not know how many there should be: it would refuse to drain their nodes. Leave it out.") -}}
{{- end -}}
{{- /* A bounded job has no hooks. Where nobody but Helm can be asked (helm template, Argo CD) nothing is found. */ -}}
{{- range $name := list (include "flink.fullname" .) (include "flink.jobmanager.name" .) -}}
{{- $live := lookup "apps/v1" "Deployment" $.Release.Namespace $name -}}
{{- $type := dig "metadata" "annotations" "flink/type" "" $live -}}
{{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" $live -}}
{{- if ne $owner $.Release.Name }}{{ $type = "" }}{{ end -}}
{{- if and (eq $type "job") (gt (dig "spec" "replicas" 1 $live | int) 0) -}}
{{- fail (printf (cat "job.bounded is true, but the release runs a job without an end (Deployment %s), which would be"
      "killed: suspend it first, with job.bounded=false and job.state=suspended, or `helm uninstall` it.") $name) -}}
{{- end -}}
{{- if eq $type "session" -}}
{{- fail (printf (cat "job.bounded is true, but the release is a session cluster (Deployment %s), whose jobs would be"
      "killed: `helm uninstall` it first, or give this one another name.") $name) -}}
{{- end -}}
{{- end -}}
{{- if include "flink.highlyAvailable" . -}}
{{- fail (cat
      "High availability is on, but job.bounded is true: it would remember that the job has ended, and an upgrade could"
      "not run it again. Set highAvailability.type=none; restart-strategy and checkpoints help against lost"
      "TaskManagers.") -}}
{{- end -}}
{{- range $key := list "execution.shutdown-on-application-finish" "taskmanager.registration.timeout" -}}
{{- if hasKey (include "flink.options.given" $ | fromJson) $key -}}
{{- fail (printf (cat
      "flink.config sets %s, by which the pods of a bounded job end: leave it out, or set job.bounded=false.") $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* How servers of ZooKeeper are asked, which Flink's options tell Flink alone. */}}
{{- define "flink.validate.zookeeper" -}}
{{- $zookeeper := .Values.highAvailability.zookeeper -}}
{{- $type := .Values.highAvailability.type -}}
{{- if $zookeeper.tls.secretName -}}
{{- if ne $type "zookeeper" -}}
{{- fail (printf (cat "highAvailability.zookeeper.tls.secretName is set, but highAvailability.type is %s: set"
      "highAvailability.type=zookeeper, or leave the Secret out.") $type) -}}
{{- else if not $zookeeper.quorum -}}
{{- fail (cat "highAvailability.zookeeper.tls.secretName is set, but highAvailability.zookeeper.quorum is empty, and"
      "the chart's own server speaks no TLS: name servers that do, or leave the Secret out.") -}}
{{- end -}}
{{- else if and (eq $type "zookeeper") .Values.hooks.enabled -}}
{{- range $key, $value := .Values.flink.config -}}
{{- $secure := and (hasPrefix "env.java." $key) (contains "-Dzookeeper.client.secure=true" (toString $value)) -}}
{{- $creator := and (eq $key "high-availability.zookeeper.client.acl") (eq (lower (toString $value)) "creator") -}}
{{- if or $secure $creator -}}
{{- $what := ternary "has Flink speak TLS with ZooKeeper" "hides what Flink stores in ZooKeeper from others" $secure -}}
{{- fail (printf (cat "flink.config sets %s, which %s, and the hooks read there without TLS and login: set"
      "highAvailability.zookeeper.tls.secretName, by whose certificate they log in too, or hooks.enabled=false.")
      $key $what) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What the hooks and high availability rely on. */}}
{{- define "flink.validate.lifecycle" -}}
{{- $job := .Values.job -}}
{{- $strategy := .Values.jobmanager.strategy.type -}}
{{- if and (ne $strategy "Recreate") (not (include "flink.highlyAvailable" .)) -}}
{{- fail (printf (cat
      "jobmanager.strategy.type is %s, but without high availability two JobManagers at once run every job twice: write"
      "Recreate, or set highAvailability.type=kubernetes.") $strategy) -}}
{{- end -}}
{{- $type := .Values.highAvailability.type -}}
{{- if and .Values.highAvailability.zookeeper.root (ne $type "zookeeper") -}}
{{- fail (printf (cat
      "highAvailability.zookeeper.root is set, but highAvailability.type is %s: set highAvailability.type=zookeeper, or"
      "leave the path out.") $type) -}}
{{- end -}}
{{- $needsAccount := or (include "flink.leaderInKubernetes" .) (include "flink.makesTaskManagers" .) -}}
{{- /* In native mode the JobManager asks alone; the leader is asked for by TaskManagers as well. */}}
{{- $roles := list "jobmanager" -}}
{{- if include "flink.leaderInKubernetes" . }}{{ $roles = append $roles "taskmanager" }}{{ end -}}
{{- $own := true -}}
{{- range $roles }}{{ if not (get $.Values .).serviceAccountName }}{{ $own = false }}{{ end }}{{ end -}}
{{- if and $needsAccount (not $own) (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail (cat
      "serviceAccount.create is false and serviceAccount.name is empty, but Flink asks Kubernetes itself"
      "(highAvailability.type=kubernetes, or another flink.mode than standalone), and its rights would go to every pod"
      "of the namespace that runs as `default`: name an account of its own, or set serviceAccount.create=true.") -}}
{{- end -}}
{{- if and (eq .Values.savepoints.format "canonical")
      (eq (include "flink.option" (dict "root" . "key" "state.backend.type")) "forst") -}}
{{- fail "savepoints.format is canonical, which the backend forst cannot write: leave it out, or write native." -}}
{{- end -}}
{{- with .Values.highAvailability.zookeeper.quorum -}}
{{- if ne $type "zookeeper" -}}
{{- fail (printf (cat
      "highAvailability.zookeeper.quorum is set, but highAvailability.type is %s: set highAvailability.type=zookeeper,"
      "or leave the quorum out.") $type) -}}
{{- end -}}
{{- end -}}
{{- include "flink.validate.zookeeper" . -}}
{{- if and (include "flink.highlyAvailable" .)
      (not (include "flink.option" (dict "root" . "key" "high-availability.storageDir"))) -}}
{{- fail "High availability needs a directory that outlives the pods: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- if ne .Values.flink.type "job" -}}
{{- if .Values.savepoints.schedule -}}
{{- fail (cat
      "savepoints.schedule is set, but flink.type is session, whose jobs the chart does not know: set flink.type=job,"
      "or leave it out.") -}}
{{- end -}}
{{- if or (eq $job.state "suspended") $job.upgradeMode $job.savepointOnUninstall -}}
{{- fail (cat
      "job.state, job.upgradeMode or job.savepointOnUninstall is set, but flink.type is session, whose jobs come and go"
      "without Helm: set flink.type=job, or leave them out.") -}}
{{- end -}}
{{- else -}}
{{- if and (not .Values.hooks.enabled) (or (eq $job.state "suspended") $job.upgradeMode $job.savepointOnUninstall) -}}
{{- fail (cat
      "job.state, job.upgradeMode or job.savepointOnUninstall is set, but hooks.enabled is false, and nobody would"
      "carry it out: set hooks.enabled=true, or leave them out.") -}}
{{- end -}}
{{- $savepoints := include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir") -}}
{{- $taken := eq .Values.flink.mode "operator" | ternary $savepoints (include "flink.savepoints.offered" .) -}}
{{- if and .Values.savepoints.schedule (not $taken) -}}
{{- fail (cat
      "savepoints.schedule is set, but nobody can take savepoints: set hooks.enabled=true, and storage.enabled=true or"
      "state.root.") -}}
{{- end -}}
{{- if and (not $savepoints) (or (eq $job.upgradeMode "savepoint") $job.savepointOnUninstall
      (eq $job.state "suspended")) -}}
{{- fail (cat
      "A savepoint is asked for (job.upgradeMode, job.state or job.savepointOnUninstall), but there is no directory for"
      "it: set storage.enabled=true, or state.root.") -}}
{{- end -}}
{{- if eq (include "flink.job.upgradeMode" .) "last-state" -}}
{{- $checkpoints := include "flink.option" (dict "root" . "key" "execution.checkpointing.dir") -}}
{{- if not $checkpoints -}}
{{- fail "job.upgradeMode is last-state, but checkpoints are kept nowhere: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- if and (not (include "flink.highlyAvailable" .)) (not (include "flink.state.onFiles" .)) -}}
{{- fail (printf (cat
      "job.upgradeMode is last-state, but without high availability a JobManager that restarts cannot tell the newest"
      "checkpoint in %s, and would look for one that is deleted: set highAvailability.type=kubernetes, or"
      "job.upgradeMode=savepoint.") $checkpoints) -}}
{{- end -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $retention := get $given "execution.checkpointing.externalized-checkpoint-retention" | default
      "RETAIN_ON_CANCELLATION" -}}
{{- if ne $retention "RETAIN_ON_CANCELLATION" -}}
{{- fail (printf (cat
      "job.upgradeMode is last-state, but flink.config sets execution.checkpointing.externalized-checkpoint-retention"
      "to %s, and the newest checkpoint would go when the job is cancelled: leave it out, or set"
      "job.upgradeMode=savepoint.") $retention) -}}
{{- end -}}
{{- end -}}
{{- $own := and .Values.storage.enabled (not .Values.storage.existingClaim) (not .Values.storage.keep) -}}
{{- if and $job.savepointOnUninstall $own (hasPrefix (printf "file://%s/" .Values.storage.mountPath)
      (include "flink.state.uri" $savepoints)) -}}
{{- fail (cat
      "job.savepointOnUninstall is true, but the savepoint would be on the claim that goes with the release: set"
      "storage.keep=true, or state.root.") -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A job that can never get its slots. */}}
{{- define "flink.validate.parallelism" -}}
{{- $configured := get .Values.flink.config "parallelism.default" -}}
{{- if and .Values.job.parallelism $configured
      (ne (include "flink.text" $configured) (include "flink.text" .Values.job.parallelism)) -}}
{{- fail (printf (cat
      "job.parallelism is %v and flink.config sets parallelism.default to %v: keep one of them.")
      .Values.job.parallelism $configured) -}}
{{- end -}}
{{- $parallelism := .Values.job.parallelism | default
      (include "flink.option" (dict "root" . "key" "parallelism.default")) | int -}}
{{- with include "flink.tooFewSlots" (dict "root" . "parallelism" $parallelism) -}}
{{- fail (printf (cat
      "The job's parallelism of %d needs as many slots, but %s: raise one of these, or lower job.parallelism.")
      $parallelism .) -}}
{{- end -}}
{{- end }}

{{/*
What there is instead of the slots that a parallelism needs, empty if there are enough: (dict "root" $ "parallelism"
3).
*/}}
{{- define "flink.tooFewSlots" -}}
{{- $values := .root.Values -}}
{{- $native := include "flink.makesTaskManagers" .root | eq "true" -}}
{{- /* It runs with the slots that there are. */ -}}
{{- $fits := include "flink.scheduler" .root -}}
{{- $taskmanagers := ternary $values.native.maxTaskManagers $values.taskmanager.replicas $native -}}
{{- $slots := int (mul (int $taskmanagers) $values.taskmanager.slots) -}}
{{- if and (not $fits) (not (kindIs "invalid" $taskmanagers)) (gt (int .parallelism) $slots) -}}
{{- $key := ternary "native.maxTaskManagers" "taskmanager.replicas" $native -}}
{{- printf "%s (%v) times taskmanager.slots (%v) gives %d" $key $taskmanagers $values.taskmanager.slots $slots -}}
{{- end -}}
{{- end }}
