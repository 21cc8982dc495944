{{/* Every refusal of the chart that takes more than a type, each as a sentence that says what to write instead. */}}
{{- define "flink.validate" -}}
{{- $values := .Values -}}
{{- $jobMode := eq $values.flink.type "job" -}}
{{- $version := include "flink.version" . -}}

{{- if not (regexMatch "^(1\\.20|2\\.[0-9]+)([.-][-._a-zA-Z0-9]*[a-zA-Z0-9])?$" $version) -}}
{{- fail (printf (cat
      "flink.version is %q, but this chart writes the options of Flink 1.20 and 2.x: write one of those, for example"
      "2.2.1, and use an image of that version.") $version) -}}
{{- end -}}

{{- /* What files holds is written in another way. */ -}}
{{- include "flink.validate.values" (dict "path" "" "value" (omit .Values "global" "files")) -}}
{{- include "flink.validate.name" . -}}
{{- include "flink.validate.pods" . -}}
{{- include "flink.validate.memory" . -}}
{{- include "flink.validate.image" . -}}
{{- include "flink.validate.move" . -}}
{{- if eq $values.flink.mode "operator" }}{{ include "flink.validate.operator" . }}{{ end -}}
{{- include "flink.validate.config" . -}}
{{- include "flink.validate.options" . -}}
{{- include "flink.validate.kerberos" . -}}
{{- include "flink.validate.secrets" . -}}
{{- include "flink.validate.tls" . -}}
{{- include "flink.validate.plugins" . -}}
{{- include "flink.validate.state" . -}}
{{- if include "flink.makesTaskManagers" . }}{{ include "flink.validate.native" . }}{{ end -}}
{{- include "flink.validate.autoscaling" . -}}
{{- include "flink.validate.files" . -}}
{{- include "flink.validate.logging" . -}}
{{- include "flink.validate.metrics" . -}}
{{- include "flink.validate.session" . -}}
{{- include "flink.validate.hive" . -}}
{{- if and $jobMode $values.sqlGateway.enabled -}}
{{- fail (cat
      "sqlGateway.enabled is true, but flink.type is job, where the cluster takes no other jobs: set"
      "flink.type=session, or leave the gateway out.") -}}
{{- end -}}
{{- if and $values.historyServer.enabled (not (include "flink.option"
      (dict "root" . "key" "jobmanager.archive.fs.dir"))) -}}
{{- fail (cat
      "historyServer.enabled is true, but there is no directory for the ended jobs: set storage.enabled=true, or"
      "state.root.") -}}
{{- end -}}
{{- include "flink.validate.bounded" . -}}

{{- if $jobMode -}}
{{- $job := include "flink.job" . | fromJson -}}
{{- $jar := or $job.jar.file $job.jar.entryClass -}}
{{- $sql := $job.sql.file -}}
{{- if not (or $jar $sql $job.python.file) -}}
{{- fail (cat
      "flink.type is job, but no job is named: set job.python.file to a Python file in the image, job.jar.file and"
      "job.jar.entryClass to a jar and its class, or job.sql.file.") -}}
{{- end -}}
{{- if and $sql (or $jar $values.job.args) -}}
{{- fail (cat
      "job.sql.file is set beside job.jar or job.args: the SQL file is the whole job and takes no arguments, so leave"
      "the others out.") -}}
{{- end -}}
{{- if and $sql (hasPrefix "1." $version) -}}
{{- fail (printf (cat
      "job.sql.file is set, but Flink %s has no driver for it: use Flink 2, or flink.type=session and session.jobs with"
      "sql.file.") $version) -}}
{{- end -}}
{{- include "flink.validate.job.file" . -}}
{{- include "flink.validate.parallelism" . -}}
{{- else if $values.job.fromSavepoint -}}
{{- fail (cat
      "job.fromSavepoint is set, but flink.type is session, where no job starts with the cluster: set flink.type=job,"
      "or submit the job with `flink run --fromSavepoint`.") -}}
{{- end -}}

{{- $replicas := int $values.jobmanager.replicas -}}
{{- if and (gt $replicas 1) (not (include "flink.highlyAvailable" .)) -}}
{{- fail (printf (cat
      "jobmanager.replicas is %d, but without high availability several JobManagers know nothing of each other and"
      "break every job: write 1, or set highAvailability.type=kubernetes.") $replicas) -}}
{{- end -}}
{{- include "flink.validate.lifecycle" . -}}

{{- if and $values.rest.service.nodePort (eq $values.rest.service.type "ClusterIP") -}}
{{- fail (cat "rest.service.nodePort is set, but rest.service.type is ClusterIP: set rest.service.type=NodePort, or"
      "leave the port out.") -}}
{{- end -}}
{{- $ports := omit (include "flink.ports" . | fromYaml) "data" "taskmanager" -}}
{{- if has (float64 $values.rest.port) (values $ports) -}}
{{- fail (printf (cat
      "rest.port is %v, which the JobManager uses itself (%v RPC, %v blobs, %v metrics): write another, for example"
      "8081.") $values.rest.port $ports.jobmanager $ports.blob $ports.query) -}}
{{- end -}}

{{- $jobmanager := $values.jobmanager -}}
{{- $pod := include "flink.over" (list $values.podSecurityContext $jobmanager.podSecurityContext) | fromYaml -}}
{{- $container := include "flink.over" (list $values.securityContext $jobmanager.securityContext) | fromYaml -}}
{{- $user := dig "runAsUser" (dig "runAsUser" 1 $pod) $container -}}
{{- $binds := or (eq (toString $user) "0") $pod.sysctls
      (has "NET_BIND_SERVICE" (dig "capabilities" "add" list $container)) -}}
{{- if and (lt (int $values.rest.port) 1024) (not $binds) -}}
{{- fail (printf (cat "rest.port is %v, which a process that is not root may not bind: write 1024 or more, for example"
      "8081, and let an Ingress or a Service of your own have the other.") $values.rest.port) -}}
{{- end -}}

{{- if $values.ingress.enabled -}}
{{- $path := tpl $values.ingress.path . -}}
{{- if not (hasPrefix "/" $path) -}}
{{- fail (printf "ingress.path is %q: it has to begin with a slash, for example /flink." $path) -}}
{{- end -}}
{{- if and (eq $values.ingress.rewrite "nginx") (not (regexMatch "^[-_.~%/a-zA-Z0-9]*$" $path)) -}}
{{- fail (printf (cat "ingress.path is %q, but ingress.rewrite is nginx, for which the chart writes the pattern itself:"
      "write a plain path, for example /flink, or set ingress.rewrite=none.") $path) -}}
{{- end -}}
{{- if and $values.ingress.tlsSecretName (not $values.ingress.host) -}}
{{- fail "ingress.tlsSecretName is set, but a certificate needs a name: set ingress.host as well." -}}
{{- end -}}
{{- end -}}

{{- include "flink.validate.gateway" . -}}
{{- include "flink.validate.auth" . -}}
{{- include "flink.validate.network" . -}}
{{- with $values.storage.storageClassName -}}
{{- if not (regexMatch "^(-|[a-z0-9]([-a-z0-9.]*[a-z0-9])?)$" .) -}}
{{- fail (printf (cat "storage.storageClassName is %q, which is no name of a StorageClass: write one, for example"
      "standard, \"-\" for none, or leave it out.") .) -}}
{{- end -}}
{{- end -}}
{{- if and (not $values.storage.enabled) $values.storage.existingClaim -}}
{{- fail (printf (cat
      "storage.existingClaim is %q, but storage.enabled is false: set storage.enabled=true, or leave the claim out.")
      $values.storage.existingClaim) -}}
{{- end -}}
{{- $system := "(bin|dev|etc|exchange|hooks|lib|lib64|proc|run|sbin|sys|tmp|usr|var/run)(/.*)?" -}}
{{- $home := list "artifact" "bin" "conf" "examples" "files" "lib" "licenses" "log" "opt" "plugins" "pod-template"
      "record" "scripts" "usrlib" -}}
{{- $flink := printf "opt|opt/flink(/(%s)(/.*)?)?" (join "|" $home) -}}
{{- if regexMatch (printf "^/(%s|%s|var)?$" $system $flink) $values.storage.mountPath -}}
{{- fail (printf (cat
      "storage.mountPath is %s, which would hide files that the image or the chart needs: write a directory of its own,"
      "for example /flink-data.") $values.storage.mountPath) -}}
{{- end -}}
{{- end }}
