{{/* What the operator has no counterpart for, and what only it could be told. */}}
{{- define "flink.validate.operator" -}}
{{- $values := .Values -}}
{{- $refused := dict
      "flink.configFrom" (cat "which knows no option out of a Secret: mount the Secret by extraVolumes and"
        "extraVolumeMounts of jobmanager and taskmanager, and name its file, or have the program read the environment")
      "job.bounded" "which runs jobs for good: set flink.mode=standalone, or leave it out"
      "job.backoffLimit" "which knows no bounded jobs: leave it out"
      "job.ttlSecondsAfterFinished" "which knows no bounded jobs: leave it out"
      "job.savepointOnUninstall" (cat "and Helm takes the account's rights away before the operator could take one:"
        "upgrade with job.state=suspended before you uninstall, and leave it out")
      "job.sql.file" "whose client of Flink starts jars and Python jobs alone: set flink.mode=native, or pack the job"
      "session" "which submits the jobs of a session itself: set session.jobs alone"
      "jobmanager.strategy" "which replaces pods in its own way: leave it out"
      "taskmanager.strategy" "which replaces pods in its own way: leave it out"
      "taskmanager.autoscaling.enabled" (cat "which has an autoscaler of its own: leave it out, and write"
        "job.autoscaler.enabled: true into flink.config")
      "hooks" "which carries jobs over upgrades itself, so that no hook runs: set hooks.image alone, or none of it"
      "savepoints" "which takes savepoints itself: set schedule, keep and format alone"
      "tls.internal.enabled" "which could not give the pods their key stores: set flink.mode=native, or leave it out"
      "tls.rest.enabled" "which would not know the certificate: set flink.mode=native, or leave it out"
      "highAvailability.zookeeper.tls.secretName" (cat "which could not give the pods their certificate: set"
        "flink.mode=native, or leave it out")
      "logging.log4jCli" "whose pods hold no such file: leave it out"
-}}
{{- $kept := dict "session" (list "jobs") "hooks" (list "image") "savepoints" (list "schedule" "keep" "format") -}}
{{- range $key, $why := $refused -}}
{{- $given := include "flink.operator.given" (dict "root" $ "key" $key "kept" (get $kept $key | default list)) -}}
{{- with $given -}}
{{- fail (printf "%s is set, but flink.mode is operator, %s." . $why) -}}
{{- end -}}
{{- end -}}
{{- if and $values.rest.service.nodePort (not (include "flink.uiProxy" .)) -}}
{{- fail (cat "rest.service.nodePort is set, but flink.mode is operator, whose client of Flink makes the Service and"
      "cannot be told a port: leave it out, or have a Service of your own in extraObjects.") -}}
{{- end -}}
{{- range $role := list "jobmanager" "taskmanager" -}}
{{- if hasKey ((get $values $role).podSpec | default dict) "hostNetwork" -}}
{{- fail (printf (cat "%s.podSpec sets hostNetwork, but flink.mode is operator, where Flink writes it itself: leave it"
      "out, or set flink.mode=standalone.") $role) -}}
{{- end -}}
{{- end -}}
{{- range $option, $instead := dict
      "execution.target" "leave it out"
      "kubernetes.rest-service.exposed.type" "set rest.service.type"
      "kubernetes.rest-service.annotations" "set rest.service.annotations"
      "kubernetes.jobmanager.cpu.amount" "set jobmanager.resources.requests.cpu"
      "kubernetes.jobmanager.cpu.limit-factor" "set jobmanager.resources.limits.cpu"
      "kubernetes.jobmanager.replicas" "set jobmanager.replicas"
      "kubernetes.pod-template-file.default" "set the values in jobmanager and taskmanager"
      "kubernetes.pod-template-file.jobmanager" "set the values in jobmanager"
      "pipeline.jars" "set job.jar.file" -}}
{{- with get (include "flink.options.written" $ | fromJson) $option -}}
{{- fail (printf "%s, but flink.mode is operator, to which the chart says it: %s."
      (include "flink.options.called" (dict "name" $option "option" .)) $instead) -}}
{{- end -}}
{{- end -}}
{{- if and $values.savepoints.schedule (not (include "flink.operator.schedule" .)) -}}
{{- fail (printf (cat "savepoints.schedule is %q, but flink.mode is operator, which cannot be told it: name days of the"
      "month or of the week, not both, and no step of weekdays, or write an interval into flink.config,"
      "kubernetes.operator.periodic.savepoint.interval: 6 h.") $values.savepoints.schedule) -}}
{{- end -}}
{{- if and $values.files (eq $values.flink.type "session") -}}
{{- fail (cat "files is set, but flink.mode is operator, which takes jobs of a session by URL alone, so that nothing"
      "would read them: leave them out.") -}}
{{- end -}}
{{- include "flink.validate.operator.state" . -}}
{{- if eq $values.flink.type "job" -}}
{{- include "flink.validate.operator.args" (dict "who" "job.args has" "args" $values.job.args) -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (not $values.networkPolicy.ingress.operator) -}}
{{- fail (cat "flink.mode is operator, but networkPolicy.ingress.operator is empty, so that it does not reach the"
      "JobManager: name it, for example [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name:"
      "flink-operator}}}].") -}}
{{- end -}}
{{- range $kind := list "FlinkDeployment" "FlinkSessionJob" -}}
{{- include "flink.validate.api" (dict "root" $ "key" "flink.mode=operator" "on" true
      "api" (printf "flink.apache.org/v1beta1/%s" $kind)
      "remedy" "install the Flink Kubernetes Operator first, or set flink.mode=standalone") -}}
{{- end -}}
{{- end }}

{{/*
The name of a value that is set, or of one below it, empty where all of them have their defaults: (dict "root" $ "key"
"hooks" "kept" <names below it that may be set>).
*/}}
{{- define "flink.operator.given" -}}
{{- $key := .key -}}
{{- $value := .root.Values -}}
{{- range splitList "." $key }}{{ $value = get $value . }}{{ end -}}
{{- $defaults := .root.Files.Get "defaults.json" | fromJson -}}
{{- if and (kindIs "map" $value) (not (hasKey $defaults $key)) -}}
{{- range $name, $own := $value -}}
{{- $path := printf "%s.%s" $key $name -}}
{{- if and (not (has $name $.kept)) (ne (toJson $own) (toJson (get $defaults $path))) }}{{ $path }}{{ break }}{{ end -}}
{{- end -}}
{{- else if ne (toJson $value) (toJson (get $defaults $key)) -}}
{{- $key -}}
{{- end -}}
{{- end }}

{{/* Where the operator looks for the state of a job, and what it has begun already. */}}
{{- define "flink.validate.operator.state" -}}
{{- $job := eq .Values.flink.type "job" -}}
{{- $mode := include "flink.job.upgradeMode" . -}}
{{- if or $job .Values.session.jobs -}}
{{- if and (eq $mode "last-state") (not $job) -}}
{{- fail (cat "session.jobs is set, but there is no directory for savepoints, and flink.mode is operator, which"
      "upgrades a job of a session with one: set state.folders.savepoints, or state.root.") -}}
{{- end -}}
{{- if and $job (ne $mode "stateless") (not (include "flink.highlyAvailable" .)) -}}
{{- fail (cat "highAvailability.type is none, but flink.mode is operator, where a JobManager that is replaced would"
      "start the job from where its last upgrade did: set highAvailability.type=kubernetes, or"
      "job.upgradeMode=stateless for a job without state.") -}}
{{- end -}}
{{- if and (ne $mode "stateless") (not (include "flink.option"
      (dict "root" . "key" "execution.checkpointing.dir"))) -}}
{{- fail (cat "There is no directory for checkpoints, but flink.mode is operator, which carries a job over upgrades"
      "with one alone: set storage.enabled=true, state.root or state.folders.checkpoints.") -}}
{{- end -}}
{{- end -}}
{{- $jobs := list (dict "kind" "FlinkDeployment" "key" "job.fromSavepoint" "name" (include "flink.fullname" .)
      "path" .Values.job.fromSavepoint) -}}
{{- range include "flink.session.jobs" . | fromJsonArray -}}
{{- $jobs = append $jobs (dict "kind" "FlinkSessionJob" "key" (printf "session.jobs: fromSavepoint of %s" .name)
      "name" (include "flink.operator.sessionJob.name" (dict "root" $ "job" .)) "path" .fromSavepoint) -}}
{{- end -}}
{{- range $jobs -}}
{{- $known := $.Capabilities.APIVersions.Has (printf "flink.apache.org/v1beta1/%s" .kind) -}}
{{- $live := dict -}}
{{- if $known }}{{ $live = lookup "flink.apache.org/v1beta1" .kind $.Release.Namespace .name }}{{ end -}}
{{- if and $live (eq .kind "FlinkDeployment") (ne $job (hasKey $live.spec "job")) -}}
{{- fail (printf (cat "flink.type is %s, but FlinkDeployment %s is there with another one, and flink.mode is operator,"
      "which does not change it: give this release another name, or `helm uninstall` it first.") $.Values.flink.type
      .name) -}}
{{- end -}}
{{- if and $live .path (ne (dig "spec" "job" "initialSavepointPath" "" $live) .path) -}}
{{- fail (printf (cat "%s is %s, but flink.mode is operator, which starts a job from it that is new, and %s %s is"
      "there: leave it out, or have the operator start it again from there: kubectl patch %s %s --type=merge"
      "--patch='{\"spec\": {\"job\": {\"initialSavepointPath\": %q, \"savepointRedeployNonce\": 1}}}', with another"
      "number each time.") .key .path .kind .name (lower .kind) .name .path) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Arguments are in a ConfigMap, where nobody fills in variables: (dict "who" "job.args has" "args" <list>). */}}
{{- define "flink.validate.operator.args" -}}
{{- range .args -}}
{{- with regexFind "\\$\\([-._a-zA-Z][-._a-zA-Z0-9]*\\)" (toString .) -}}
{{- fail (printf (cat "%s %s, but flink.mode is operator, where nobody fills in variables: have the job read the"
      "variable itself, or write what it holds.") $.who .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* A job of a session, whose jar the operator itself fetches: (a job of session.jobs). */}}
{{- define "flink.validate.operator.sessionJob" -}}
{{- $file := dig "jar" "file" "" . -}}
{{- if not (regexMatch "^[a-z0-9]+://[^/]*/.*[^/]$" $file) | or (hasPrefix "local:" $file) -}}
{{- fail (printf (cat "session.jobs: %s has no URL in jar.file, but flink.mode is operator, which fetches jars itself,"
      "and takes neither Python nor SQL: write a URL that it reaches, for example https://repo.example/jobs/a.jar.")
      .name) -}}
{{- end -}}
{{- if regexMatch "://[^/]*@" $file -}}
{{- fail (printf (cat "session.jobs: %s has a URL with a user or a password, which all who see the release could read:"
      "serve the file without.") .name) -}}
{{- end -}}
{{- if dig "jar" "sha256" "" . -}}
{{- fail (printf (cat "session.jobs: %s has a sha256, but flink.mode is operator, which does not look at it: leave it"
      "out, and name a URL whose file does not change.") .name) -}}
{{- end -}}
{{- include "flink.validate.operator.args" (dict "who" (printf "session.jobs: %s has in its args" .name)
      "args" .args) -}}
{{- end }}

{{/*
A release that the operator runs has none of the hooks of other modes, and they know nothing of its job: it would run
twice, or start from nothing. Where nobody but Helm can be asked (helm template, Argo CD) nothing is found.
*/}}
{{- define "flink.validate.move" -}}
{{- $operator := eq .Values.flink.mode "operator" -}}
{{- $name := include "flink.fullname" . -}}
{{- $steps := "take its state along as docs/from-the-operator.md says, by an uninstall or under another name." -}}
{{- range $config := list (printf "%s-config" $name) (printf "flink-config-%s" $name) -}}
{{- $annotations := dig "metadata" "annotations" dict (lookup "v1" "ConfigMap" $.Release.Namespace $config) -}}
{{- $own := eq (get $annotations "meta.helm.sh/release-name") $.Release.Name -}}
{{- if and $own (ne $operator (eq (get $annotations "flink/mode") "operator")) -}}
{{- fail (printf "flink.mode is %s, but %s: %s" $.Values.flink.mode
      (ternary "this release runs without the operator, and its job would be killed"
        "the operator runs this release, and no hook knows of its job" $operator) $steps) -}}
{{- end -}}
{{- end -}}
{{- if $operator -}}
{{- $record := include "flink.record.name" . -}}
{{- if lookup "v1" "ConfigMap" .Release.Namespace $record -}}
{{- fail (printf (cat "flink.mode is operator, but ConfigMap %s is left, by which a later release without the operator"
      "would resume from where its job was then: note restore in it for job.fromSavepoint, and delete it.") $record) -}}
{{- end -}}
{{- end -}}
{{- end }}
