{{/* Options that the objects of the chart depend on, and what to set instead. */}}
{{- define "flink.validate.config" -}}
{{- $port := "the Services and probes of the chart rely on it: leave it out" -}}
{{- $pod := "each pod announces its own address: leave it out" -}}
{{- $history := "the Service and the probes of the history server rely on it: leave it out" -}}
{{- $gateway := "the Service and the probes of the gateway rely on it: leave it out" -}}
{{- $owned := dict
      "rest.port" "set rest.port"
      "rest.bind-port" "set rest.port"
      "rest.address" $port
      "rest.bind-address" $port
      "jobmanager.rpc.address" $port
      "jobmanager.rpc.port" $port
      "jobmanager.rpc.bind-port" $port
      "high-availability.jobmanager.port" $port
      "jobmanager.bind-host" $port
      "blob.server.port" $port
      "metrics.internal.query-service.port" $port
      "taskmanager.rpc.port" $port
      "taskmanager.rpc.bind-port" $port
      "taskmanager.data.port" $port
      "taskmanager.data.bind-port" $port
      "taskmanager.bind-host" $port
      "taskmanager.host" $pod
      "taskmanager.resource-id" $pod
      "jobmanager.memory.process.size" "set jobmanager.resources.limits.memory"
      "jobmanager.memory.flink.size" "set jobmanager.resources.limits.memory"
      "taskmanager.memory.process.size" "set taskmanager.resources.limits.memory"
      "taskmanager.memory.flink.size" "set taskmanager.resources.limits.memory"
      "jobmanager.heap.size" "set jobmanager.resources.limits.memory"
      "jobmanager.heap.mb" "set jobmanager.resources.limits.memory"
      "taskmanager.heap.size" "set taskmanager.resources.limits.memory"
      "taskmanager.heap.mb" "set taskmanager.resources.limits.memory"
      "taskmanager.numberOfTaskSlots" "set taskmanager.slots"
      "env.java.default-opts.all" "set env.java.opts.all, which is added to it"
      "high-availability.zookeeper.quorum" "set highAvailability.zookeeper.quorum"
      "high-availability.zookeeper.path.root" "set highAvailability.zookeeper.root"
      "high-availability.cluster-id" "it is the release's base name: set fullnameOverride"
      "kubernetes.cluster-id" "it is the release's base name: set fullnameOverride"
      "kubernetes.namespace" "it is the release's: leave it out"
      "kubernetes.flink.conf.dir" "the start scripts of the image look for it in /opt/flink/conf: leave it out"
      "kubernetes.pod-template-file.taskmanager" "the chart makes it from the values in taskmanager: set those"
      "kubernetes.service-account" "set serviceAccount.name, or taskmanager.serviceAccountName"
      "kubernetes.jobmanager.service-account" "set jobmanager.serviceAccountName"
      "kubernetes.taskmanager.service-account" "set taskmanager.serviceAccountName"
      "kubernetes.container.image.ref" "set image.repository and image.tag"
      "kubernetes.container.image.pull-policy" "set image.pullPolicy"
      "kubernetes.container.image.pull-secrets" "set image.pullSecrets"
      "kubernetes.decorator.kerberos-mount.enabled"
      "TaskManagers would wait for a Secret that nobody makes: set kerberos"
      "kubernetes.hostnetwork.enabled" "set taskmanager.podSpec.hostNetwork"
      "kubernetes.taskmanager.cpu.amount" "set taskmanager.resources.requests.cpu"
      "kubernetes.taskmanager.cpu.limit-factor" "set taskmanager.resources.limits.cpu"
      "resourcemanager.taskmanager-timeout" "set native.idleTimeout"
      "slotmanager.number-of-slots.max" "set native.maxTaskManagers"
      "job-result-store.delete-on-commit" "a job that was stopped would run again without its state: leave it out"
      "historyserver.web.port" $history
      "historyserver.web.address" $history
      "sql-gateway.endpoint.type" "set sqlGateway.hiveServer2 for clients of Hive, and leave it out"
      "sql-gateway.endpoint.rest.port" $gateway
      "sql-gateway.endpoint.rest.bind-port" $gateway
      "sql-gateway.endpoint.rest.bind-address" $gateway
      "sql-gateway.endpoint.rest.address" $pod
      "sql-gateway.endpoint.hiveserver2.thrift.host" "the Service relies on it: leave it out"
      "sql-gateway.endpoint.hiveserver2.thrift.port" "the Service relies on it: leave it out"
      "sql-gateway.endpoint.hiveserver2.catalog.name" "set hive.catalog, and leave it out"
      "sql-gateway.endpoint.hiveserver2.catalog.hive-conf-dir" "set hive.configMap, and leave it out"
      "io.tmp.dirs" "the root file system is read-only and /tmp is a volume: leave it out"
      "env.log.dir" "the root file system is read-only and /opt/flink/log is a volume: leave it out"
      "security.ssl.rest.enabled" "the probes would still speak plain HTTP: set tls.rest.enabled"
      "security.ssl.enabled" "the probes would still speak plain HTTP: set tls.internal.enabled and tls.rest.enabled"
      "historyserver.web.ssl.enabled" "it speaks HTTPS where REST does: set tls.rest.enabled"
-}}
{{- /* What the chart relies on may be written down. */ -}}
{{- $harmless := dict "sql-gateway.endpoint.type" (ternary "rest;hiveserver2" "rest" .Values.sqlGateway.hiveServer2)
      "kubernetes.decorator.kerberos-mount.enabled" "false"
      "security.ssl.rest.enabled" "false" "security.ssl.enabled" "false" "historyserver.web.ssl.enabled" "false" -}}
{{- range $key, $value := .Values.flink.config -}}
{{- include "flink.validate.optionName" (dict "where" "flink.config" "name" $key "example" "state.backend.type") -}}
{{- if kindIs "map" $value -}}
{{- $below := keys $value | sortAlpha | first | default "<name>" -}}
{{- fail (printf "flink.config.%s is a map: write flat keys, for example \"%s.%s\"." $key $key $below) -}}
{{- end -}}
{{- if kindIs "slice" $value -}}
{{- fail (printf "flink.config sets %s to a list: write its elements as one text, separated by semicolons." $key) -}}
{{- end -}}
{{- if and (eq $key "parallelism.default") (not (regexMatch "^[1-9][0-9]*$" (include "flink.text" $value))) -}}
{{- fail (printf "flink.config sets parallelism.default to %v: write a whole number above 0." $value) -}}
{{- end -}}
{{- end -}}
{{- range .Values.flink.configFrom -}}
{{- include "flink.validate.optionName" (dict "where" "flink.configFrom" "name" .name
      "example" "security.ssl.internal.key-password") -}}
{{- end -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- $allowed := get $harmless $name | default "none" | eq (toString $option.value | lower) -}}
{{- with ternary "" (get $owned $name) $allowed -}}
{{- $called := include "flink.options.called" (dict "name" $name "option" $option) -}}
{{- fail (printf "%s, which would break the chart: %s." $called .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A line of Flink's YAML file begins with it: (dict "where" <value> "name" "..." "example" <an option>). */}}
{{- define "flink.validate.optionName" -}}
{{- if not (regexMatch "^[a-zA-Z0-9][-_.a-zA-Z0-9]*$" .name) -}}
{{- fail (printf (cat "%s has the name %q, which is no option of Flink: write one by its flat name, for example %s.")
      .where .name .example) -}}
{{- end -}}
{{- end }}

{{/* Names of one option, and names that cannot stand beside each other. */}}
{{- define "flink.validate.options" -}}
{{- $config := .Values.flink.config -}}
{{- $old := dict -}}
{{- with $config }}{{ $old = include "flink.options.old" $ | fromJson }}{{ end -}}
{{- range $key, $_ := $config -}}
{{- range without (splitList " " (get $old $key)) "" $key -}}
{{- if hasKey $config . -}}
{{- fail (printf "flink.config sets %s and %s, two names of one option. Use the newer name, %s, alone." $key . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- $written := include "flink.options.written" . | fromJson -}}
{{- $all := include "flink.configuration" . | fromYaml | keys -}}
{{- range $name, $_ := $written }}{{ $all = append $all $name }}{{ end -}}
{{- range $one, $_ := $written -}}
{{- range $other := uniq $all -}}
{{- range $pair := list (list $one $other) (list $other $one) -}}
{{- if hasPrefix (printf "%s." (first $pair)) (last $pair) -}}
{{- fail (printf (cat "flink.config sets %s and %s, or the chart one of them: Flink's YAML file cannot hold a value and"
      "a key below it. Use another name, or leave one of them out.") (first $pair) (last $pair)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with get $written "high-availability.type" -}}
{{- $type := .value | default "" | lower -}}
{{- $called := include "flink.options.called" (dict "name" "high-availability.type" "option" .) -}}
{{- if or (ne $.Values.highAvailability.type "none") (hasKey . "secret")
      (regexMatch "kubernetes|zookeeper" $type) -}}
{{- $right := ternary "zookeeper" "kubernetes" (contains "zookeeper" $type) -}}
{{- fail (printf "%s, on which objects of the chart depend: leave it out, and set highAvailability.type=%s." $called
      $right) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Secrets among the options: what stands where all can read it, and what cannot come from one. */}}
{{- define "flink.validate.secrets" -}}
{{- $values := .Values -}}
{{- range $key, $value := $values.flink.config -}}
{{- if include "flink.secrets.holds" (dict "root" $ "key" $key "value" $value) -}}
{{- fail (printf (cat
      "flink.config sets %s, which would stand in a ConfigMap for all to read: leave it out, put it into a Secret, and"
      "name that in flink.configFrom. For the keys of S3 state.s3.credentialsSecret names it.") $key) -}}
{{- end -}}
{{- end -}}
{{- if $values.flink.configFrom -}}
{{- $old := include "flink.options.old" . | fromJson -}}
{{- $given := include "flink.options.given" . | fromJson -}}
{{- $own := include "flink.configuration" . | fromYaml -}}
{{- $names := list -}}
{{- range $secret := $values.flink.configFrom -}}
{{- range $name := include "flink.options.names" (dict "old" $old "key" $secret.name) | fromJsonArray -}}
{{- if has $name $names -}}
{{- fail (printf "flink.configFrom names %s twice: leave one of them out." $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- if hasKey $given $name -}}
{{- fail (printf "flink.configFrom names %s, which flink.config sets as well: leave one of them out." $name) -}}
{{- end -}}
{{- if hasKey $own $name -}}
{{- fail (printf (cat
      "flink.configFrom names %s, which the chart has to know: leave it out, and write it into flink.config.")
      $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "flink.validate.plugins" -}}
{{- range .Values.flink.plugins -}}
{{- if not (regexMatch "^[a-z][-a-z0-9]*[a-z]$" .) -}}
{{- fail (printf (cat "flink.plugins has %q: write the name of a jar in the image's /opt/flink/opt without its version,"
      "for example flink-azure-fs-hadoop.") .) -}}
{{- end -}}
{{- end -}}
{{- end }}
