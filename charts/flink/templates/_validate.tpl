{{/* Every refusal of the chart that takes more than a type, each as a sentence that says what to write instead. */}}
{{- define "flink.validate" -}}
{{- $values := .Values -}}
{{- $jobMode := eq $values.flink.type "job" -}}
{{- $version := include "flink.version" . -}}

{{- if not (regexMatch "^(1\\.20|2\\.[0-9]+)(\\.|-|$)" $version) -}}
{{- fail (printf "flink.version is %q, but this chart writes the options of Flink 1.20 and 2.x: write one of those, for example 2.2.1, and use an image of that version." $version) -}}
{{- end -}}

{{- include "flink.validate.name" . -}}
{{- include "flink.validate.config" . -}}
{{- include "flink.validate.options" . -}}
{{- include "flink.validate.secrets" . -}}
{{- include "flink.validate.plugins" . -}}
{{- include "flink.validate.state" . -}}
{{- if eq $values.flink.mode "native" }}{{ include "flink.validate.native" . }}{{ end -}}
{{- include "flink.validate.session" . -}}
{{- if and $jobMode $values.sqlGateway.enabled -}}
{{- fail "sqlGateway.enabled is true, but flink.type is job, where the cluster takes no other jobs: set flink.type=session, or leave the gateway out." -}}
{{- end -}}
{{- if and $values.historyServer.enabled (not (include "flink.option" (dict "root" . "key" "jobmanager.archive.fs.dir"))) -}}
{{- fail "historyServer.enabled is true, but there is no folder for the ended jobs: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- include "flink.validate.bounded" . -}}

{{- if $jobMode -}}
{{- $jar := or $values.job.jar.file $values.job.jar.entryClass -}}
{{- $sql := $values.job.sql.file -}}
{{- if not (or $jar $sql $values.job.python.file) -}}
{{- fail "flink.type is job, but no job is named: set job.python.file to a Python file in the image, job.jar.file and job.jar.entryClass to a jar and its class, or job.sql.file." -}}
{{- end -}}
{{- if and $sql (or $jar $values.job.args) -}}
{{- fail "job.sql.file is set beside job.jar or job.args: the SQL file is the whole job and takes no arguments, so leave the others out." -}}
{{- end -}}
{{- if and $sql (hasPrefix "1." $version) -}}
{{- fail (printf "job.sql.file is set, but Flink %s has no driver for it: use Flink 2, or flink.type=session and session.jobs with sql.file." $version) -}}
{{- end -}}
{{- include "flink.validate.job.file" . -}}
{{- include "flink.validate.parallelism" . -}}
{{- else if $values.job.fromSavepoint -}}
{{- fail "job.fromSavepoint is set, but flink.type is session, where no job starts with the cluster: set flink.type=job, or submit the job with `flink run --fromSavepoint`." -}}
{{- end -}}

{{- $replicas := int $values.jobmanager.replicas -}}
{{- if and (gt $replicas 1) (not (include "flink.highlyAvailable" .)) -}}
{{- fail (printf "jobmanager.replicas is %d, but without high availability several JobManagers know nothing of each other and break every job: write 1, or set highAvailability.type=kubernetes." $replicas) -}}
{{- end -}}
{{- include "flink.validate.lifecycle" . -}}

{{- if and $values.rest.service.nodePort (ne $values.rest.service.type "NodePort") -}}
{{- fail (printf "rest.service.nodePort is set, but rest.service.type is %s: set rest.service.type=NodePort, or leave the port out." $values.rest.service.type) -}}
{{- end -}}
{{- $ports := omit (include "flink.ports" . | fromYaml) "data" "taskmanager" -}}
{{- if has (float64 $values.rest.port) (values $ports) -}}
{{- fail (printf "rest.port is %v, which the JobManager uses itself (%v RPC, %v blobs, %v metrics): write another, for example 8081." $values.rest.port $ports.jobmanager $ports.blob $ports.metrics) -}}
{{- end -}}

{{- if $values.ingress.enabled -}}
{{- if not (hasPrefix "/" $values.ingress.path) -}}
{{- fail (printf "ingress.path is %q: it has to begin with a slash, for example /flink." $values.ingress.path) -}}
{{- end -}}
{{- if and $values.ingress.tlsSecretName (not $values.ingress.host) -}}
{{- fail "ingress.tlsSecretName is set, but a certificate needs a name: set ingress.host as well." -}}
{{- end -}}
{{- end -}}

{{- if and (not $values.storage.enabled) $values.storage.existingClaim -}}
{{- fail (printf "storage.existingClaim is %q, but storage.enabled is false: set storage.enabled=true, or leave the claim out." $values.storage.existingClaim) -}}
{{- end -}}
{{- if regexMatch "^/((bin|dev|etc|lib|lib64|proc|run|sbin|sys|tmp|usr)(/.*)?|opt|opt/flink(/(artifact|bin|conf|examples|files|lib|licenses|log|opt|plugins|pod-template|record|scripts|usrlib)(/.*)?)?|var)?$" (clean $values.storage.mountPath) -}}
{{- fail (printf "storage.mountPath is %s, which would hide files that the image needs: write a folder of its own, for example /flink-data." $values.storage.mountPath) -}}
{{- end -}}
{{- end }}

{{/* A bounded job runs once, from its beginning to its end. */}}
{{- define "flink.validate.bounded" -}}
{{- if and .Values.job.bounded (ne .Values.flink.type "job") -}}
{{- fail "job.bounded is true, but flink.type is session, where no job starts with the cluster: set flink.type=job, or leave it out." -}}
{{- end -}}
{{- if include "flink.bounded" . -}}
{{- range $key, $set := dict
      "job.upgradeMode" (ne .Values.job.upgradeMode "")
      "job.state" (ne .Values.job.state "running")
      "job.savepointOnUninstall" .Values.job.savepointOnUninstall
      "savepoints.schedule" (ne .Values.savepoints.schedule "") -}}
{{- if $set -}}
{{- fail (printf "%s is set, but job.bounded is true, and nothing carries the state of a job that ends by itself: leave one of them out." $key) -}}
{{- end -}}
{{- end -}}
{{- /* A bounded job has no hooks. Where nobody but Helm can be asked (helm template, Argo CD) nothing is found. */ -}}
{{- range $name := list (include "flink.fullname" .) (include "flink.jobmanager.name" .) -}}
{{- $live := lookup "apps/v1" "Deployment" $.Release.Namespace $name -}}
{{- $type := dig "metadata" "annotations" "flink/type" "" $live -}}
{{- if and $type (ne (dig "metadata" "annotations" "meta.helm.sh/release-name" "" $live) $.Release.Name) }}{{ $type = "" }}{{ end -}}
{{- if and (eq $type "job") (gt (dig "spec" "replicas" 1 $live | int) 0) -}}
{{- fail (printf "job.bounded is true, but the release runs a job without an end (Deployment %s), which would be killed: suspend it first, with job.bounded=false and job.state=suspended, or `helm uninstall` it." $name) -}}
{{- end -}}
{{- if eq $type "session" -}}
{{- fail (printf "job.bounded is true, but the release is a session cluster (Deployment %s), whose jobs would be killed: `helm uninstall` it first, or give this one another name." $name) -}}
{{- end -}}
{{- end -}}
{{- if include "flink.highlyAvailable" . -}}
{{- fail "High availability is on, but job.bounded is true: it would remember that the job has ended, and an upgrade could not run it anew. Set highAvailability.type=none; restart-strategy and checkpoints help against lost TaskManagers." -}}
{{- end -}}
{{- range $key := list "execution.shutdown-on-application-finish" "taskmanager.registration.timeout" -}}
{{- if hasKey (include "flink.options.given" $ | fromJson) $key -}}
{{- fail (printf "flink.config sets %s, by which the pods of a bounded job end: leave it out, or set job.bounded=false." $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* What the hooks and high availability rely on. */}}
{{- define "flink.validate.lifecycle" -}}
{{- $job := .Values.job -}}
{{- $strategy := .Values.jobmanager.strategy.type -}}
{{- if and (ne $strategy "Recreate") (not (include "flink.highlyAvailable" .)) -}}
{{- fail (printf "jobmanager.strategy.type is %s, but without high availability two JobManagers at once run every job twice: write Recreate, or set highAvailability.type=kubernetes." $strategy) -}}
{{- end -}}
{{- $type := .Values.highAvailability.type -}}
{{- if and .Values.highAvailability.zookeeper.root (ne $type "zookeeper") -}}
{{- fail (printf "highAvailability.zookeeper.root is set, but highAvailability.type is %s: set highAvailability.type=zookeeper, or leave the path out." $type) -}}
{{- end -}}
{{- $needsAccount := or (include "flink.leaderInKubernetes" .) (eq .Values.flink.mode "native") -}}
{{- if and $needsAccount (not .Values.serviceAccount.create) (not .Values.serviceAccount.name) -}}
{{- fail "serviceAccount.create is false and serviceAccount.name is empty, but Flink asks Kubernetes itself (highAvailability.type=kubernetes, or flink.mode=native), and its rights would go to every pod of the namespace that runs as `default`: name an account of its own, or set serviceAccount.create=true." -}}
{{- end -}}
{{- if and (eq .Values.savepoints.format "canonical") (eq (include "flink.option" (dict "root" . "key" "state.backend.type")) "forst") -}}
{{- fail "savepoints.format is canonical, which the backend forst cannot write: leave it out, or write native." -}}
{{- end -}}
{{- with .Values.highAvailability.zookeeper.quorum -}}
{{- if ne $type "zookeeper" -}}
{{- fail (printf "highAvailability.zookeeper.quorum is set, but highAvailability.type is %s: set highAvailability.type=zookeeper, or leave the quorum out." $type) -}}
{{- end -}}
{{- end -}}
{{- if and (include "flink.highlyAvailable" .) (not (include "flink.option" (dict "root" . "key" "high-availability.storageDir"))) -}}
{{- fail "High availability needs a folder that outlives the pods: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- if ne .Values.flink.type "job" -}}
{{- if .Values.savepoints.schedule -}}
{{- fail "savepoints.schedule is set, but flink.type is session, whose jobs the chart does not know: set flink.type=job, or leave it out." -}}
{{- end -}}
{{- if or (eq $job.state "suspended") $job.upgradeMode $job.savepointOnUninstall -}}
{{- fail "job.state, job.upgradeMode or job.savepointOnUninstall is set, but flink.type is session, whose jobs come and go without Helm: set flink.type=job, or leave them out." -}}
{{- end -}}
{{- else -}}
{{- if and (not .Values.hooks.enabled) (or (eq $job.state "suspended") $job.upgradeMode $job.savepointOnUninstall) -}}
{{- fail "job.state, job.upgradeMode or job.savepointOnUninstall is set, but hooks.enabled is false, and nobody would carry it out: set hooks.enabled=true, or leave them out." -}}
{{- end -}}
{{- $savepoints := include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir") -}}
{{- if and .Values.savepoints.schedule (not (include "flink.savepoints.offered" .)) -}}
{{- fail "savepoints.schedule is set, but nobody can take savepoints: set hooks.enabled=true, and storage.enabled=true or state.root." -}}
{{- end -}}
{{- if and (not $savepoints) (or (eq $job.upgradeMode "savepoint") $job.savepointOnUninstall (eq $job.state "suspended")) -}}
{{- fail "A savepoint is asked for (job.upgradeMode, job.state or job.savepointOnUninstall), but there is no folder for it: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- if eq (include "flink.job.upgradeMode" .) "last-state" -}}
{{- $checkpoints := include "flink.option" (dict "root" . "key" "execution.checkpointing.dir") -}}
{{- if not $checkpoints -}}
{{- fail "job.upgradeMode is last-state, but checkpoints are kept nowhere: set storage.enabled=true, or state.root." -}}
{{- end -}}
{{- if and (not (include "flink.highlyAvailable" .)) (not (include "flink.state.onFiles" .)) -}}
{{- fail (printf "job.upgradeMode is last-state, but without high availability a JobManager that restarts cannot tell the newest checkpoint in %s, and would look for one that is deleted: set highAvailability.type=kubernetes, or job.upgradeMode=savepoint." $checkpoints) -}}
{{- end -}}
{{- $retention := get (include "flink.options.given" . | fromJson) "execution.checkpointing.externalized-checkpoint-retention" | default "RETAIN_ON_CANCELLATION" -}}
{{- if ne $retention "RETAIN_ON_CANCELLATION" -}}
{{- fail (printf "job.upgradeMode is last-state, but flink.config sets execution.checkpointing.externalized-checkpoint-retention to %s, and the newest checkpoint would go when the job is cancelled: leave it out, or set job.upgradeMode=savepoint." $retention) -}}
{{- end -}}
{{- end -}}
{{- $own := and .Values.storage.enabled (not .Values.storage.existingClaim) (not .Values.storage.keep) -}}
{{- if and $job.savepointOnUninstall $own (hasPrefix (printf "file://%s/" (trimSuffix "/" .Values.storage.mountPath)) $savepoints) -}}
{{- fail "job.savepointOnUninstall is true, but the savepoint would be on the claim that goes with the release: set storage.keep=true, or state.root." -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "flink.validate.name" -}}
{{- $full := include "flink.fullname" . -}}
{{- if or (gt (len .Values.fullnameOverride) 45) (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $full)) -}}
{{- fail (printf "The objects would be called %s, but a Service takes only small letters, digits and hyphens, a letter first: set fullnameOverride to such a name of at most 45 characters." (.Values.fullnameOverride | default $full)) -}}
{{- end -}}
{{- $given := dict "commonLabels" .Values.commonLabels "jobmanager.podLabels" .Values.jobmanager.podLabels "taskmanager.podLabels" .Values.taskmanager.podLabels -}}
{{- range $value, $labels := $given -}}
{{- range $key, $_ := $labels -}}
{{- if has $key (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component" "app.kubernetes.io/version" "app.kubernetes.io/managed-by" "helm.sh/chart") -}}
{{- fail (printf "%s sets %s, which the chart sets itself: use a label of your own." $value $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $rewriting := dict
      "ENABLE_BUILT_IN_PLUGINS" "write the plugin's name into flink.plugins, for example flink-azure-fs-hadoop"
      "FLINK_PROPERTIES" "write its lines into flink.config"
      "JOB_MANAGER_RPC_ADDRESS" "the chart sets the address, so leave it out"
      "TASK_MANAGER_NUMBER_OF_TASK_SLOTS" "set taskmanager.slots" -}}
{{- range $role := list "jobmanager" "taskmanager" -}}
{{- $values := get $.Values $role -}}
{{- if hasKey $values.podAnnotations "checksum/config" -}}
{{- fail (printf "%s.podAnnotations sets checksum/config, with which the chart restarts pods: use another annotation." $role) -}}
{{- end -}}
{{- range $values.extraVolumes -}}
{{- if has .name (list "config" "scripts" "tmp" "log" "data" "record" "files") -}}
{{- fail (printf "%s.extraVolumes has a volume %s, which is one of the chart's: give yours another name." $role .name) -}}
{{- end -}}
{{- end -}}
{{- range $variable := $values.extraEnv -}}
{{- if has $variable.name (list "POD_NAME" "POD_IP" "JOB_SPECIFICATION" "POD_UID" "HIGH_AVAILABILITY" "CLAIM_DIRECTORY" "RETAINED_CHECKPOINTS" "CLAIM_OWN_CHECKPOINTS") -}}
{{- fail (printf "%s.extraEnv sets %s, which is one of the chart's: give yours another name." $role $variable.name) -}}
{{- end -}}
{{- with get $rewriting $variable.name -}}
{{- fail (printf "%s.extraEnv sets %s, by which the image's entrypoint changes files that are read-only here: %s." $role $variable.name .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Options that the objects of the chart depend on, and what to set instead. */}}
{{- define "flink.validate.config" -}}
{{- $port := "the Services and probes of the chart rely on it: leave it out" -}}
{{- $pod := "each pod announces its own address: leave it out" -}}
{{- $owned := dict
      "rest.port" "set rest.port"
      "rest.bind-port" "set rest.port"
      "rest.address" $port
      "rest.bind-address" $port
      "jobmanager.rpc.address" $port
      "jobmanager.rpc.port" $port
      "jobmanager.bind-host" $port
      "blob.server.port" $port
      "metrics.internal.query-service.port" $port
      "taskmanager.rpc.port" $port
      "taskmanager.data.port" $port
      "taskmanager.data.bind-port" $port
      "taskmanager.bind-host" $port
      "taskmanager.host" $pod
      "taskmanager.resource-id" $pod
      "jobmanager.memory.process.size" "set jobmanager.resources.limits.memory"
      "jobmanager.memory.flink.size" "set jobmanager.resources.limits.memory"
      "taskmanager.memory.process.size" "set taskmanager.resources.limits.memory"
      "taskmanager.memory.flink.size" "set taskmanager.resources.limits.memory"
      "taskmanager.numberOfTaskSlots" "set taskmanager.slots"
      "env.java.default-opts.all" "set env.java.opts.all, which is added to it"
      "high-availability.zookeeper.quorum" "set highAvailability.zookeeper.quorum"
      "high-availability.zookeeper.path.root" "set highAvailability.zookeeper.root"
      "high-availability.cluster-id" "it is the release's base name: set fullnameOverride"
      "kubernetes.cluster-id" "it is the release's base name: set fullnameOverride"
      "kubernetes.namespace" "it is the release's: leave it out"
      "kubernetes.flink.conf.dir" "the start scripts of the image look for it in /opt/flink/conf: leave it out"
      "kubernetes.pod-template-file.taskmanager" "the chart makes it from the values in taskmanager: set those"
      "kubernetes.taskmanager.cpu.amount" "set taskmanager.resources.requests.cpu"
      "kubernetes.taskmanager.cpu.limit-factor" "set taskmanager.resources.limits.cpu"
      "resourcemanager.taskmanager-timeout" "set native.idleTimeout"
      "slotmanager.number-of-slots.max" "set native.maxTaskManagers"
      "job-result-store.delete-on-commit" "a job that was stopped would run again without its state: leave it out"
      "historyserver.web.port" "the Service and the probes of the history server rely on it: leave it out"
      "sql-gateway.endpoint.rest.port" "the Service and the probes of the gateway rely on it: leave it out"
      "sql-gateway.endpoint.rest.address" $pod
      "io.tmp.dirs" "the root file system is read-only and /tmp is a volume: leave it out"
      "security.ssl.rest.enabled" "the probes speak plain HTTP: end TLS at the Ingress"
-}}
{{- range $key, $value := .Values.flink.config -}}
{{- if kindIs "map" $value -}}
{{- fail (printf "flink.config.%s is a map: write flat keys, for example \"%s.%s\"." $key $key (keys $value | sortAlpha | first)) -}}
{{- end -}}
{{- if kindIs "slice" $value -}}
{{- fail (printf "flink.config sets %s to a list: write its elements as one text, separated by semicolons." $key) -}}
{{- end -}}
{{- if kindIs "invalid" $value -}}
{{- fail (printf "flink.config.%s has no value: write one, or leave the key out." $key) -}}
{{- end -}}
{{- if and (eq $key "parallelism.default") (not (regexMatch "^[1-9][0-9]*$" (include "flink.text" $value))) -}}
{{- fail (printf "flink.config sets parallelism.default to %v: write a whole number above 0." $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- with get $owned $name -}}
{{- fail (printf "%s, which would break the chart: %s." (include "flink.options.called" (dict "name" $name "option" $option)) .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A job that can never get its slots. */}}
{{- define "flink.validate.parallelism" -}}
{{- $configured := get .Values.flink.config "parallelism.default" -}}
{{- if and .Values.job.parallelism $configured (ne (include "flink.text" $configured) (include "flink.text" .Values.job.parallelism)) -}}
{{- fail (printf "job.parallelism is %v and flink.config sets parallelism.default to %v: keep one of them." .Values.job.parallelism $configured) -}}
{{- end -}}
{{- $parallelism := .Values.job.parallelism | default (include "flink.option" (dict "root" . "key" "parallelism.default")) | int -}}
{{- with include "flink.tooFewSlots" (dict "root" . "parallelism" $parallelism) -}}
{{- fail (printf "The job's parallelism of %d needs as many slots, but %s: raise one of these, or lower job.parallelism." $parallelism .) -}}
{{- end -}}
{{- end }}

{{/* What there is instead of the slots that a parallelism needs, empty if there are enough: (dict "root" $ "parallelism" 3). */}}
{{- define "flink.tooFewSlots" -}}
{{- $values := .root.Values -}}
{{- $native := eq $values.flink.mode "native" -}}
{{- $taskmanagers := ternary $values.native.maxTaskManagers $values.taskmanager.replicas $native -}}
{{- $slots := int (mul (int $taskmanagers) $values.taskmanager.slots) -}}
{{- if and (not (kindIs "invalid" $taskmanagers)) (gt (int .parallelism) $slots) -}}
{{- printf "%s (%v) times taskmanager.slots (%v) gives %d" (ternary "native.maxTaskManagers" "taskmanager.replicas" $native) $taskmanagers $values.taskmanager.slots $slots -}}
{{- end -}}
{{- end }}
