{{/* ConfigMap with the small files of the values, and where they are mounted. */}}
{{- define "flink.files.name" -}}{{ include "flink.fullname" . }}-files{{- end }}
{{- define "flink.files.volume" -}}{name: files, configMap: {name: {{ include "flink.files.name" . }}}}{{- end }}
{{- define "flink.files.mount" -}}{name: files, mountPath: /opt/flink/files, readOnly: true}{{- end }}

{{/* Path in the pods of a file that a value names: one of `files`, or one of the image or the claim. */}}
{{- define "flink.files.path" -}}
{{- if or (contains "/" .) (not .) }}{{ trimPrefix "local://" . }}{{ else }}/opt/flink/files/{{ . }}{{ end -}}
{{- end }}

{{/* Whether hooks submit jobs to a session cluster. */}}
{{- define "flink.session.submits" -}}
{{- if and .Values.hooks.enabled (eq .Values.flink.type "session") .Values.session.jobs }}true{{ end -}}
{{- end }}

{{/* What a job of the list says of its program: its file, or the sum of one by URL: (dict "job" . "key" "file"). */}}
{{- define "flink.session.program" -}}
{{- $key := .key -}}
{{ dig "jar" $key "" .job | default (dig "python" $key "" .job) | default (dig "sql" $key "" .job) }}
{{- end }}

{{/* The list as wanted.py reads it, as JSON. The specification is a hash of all that makes a job what it is. */}}
{{- define "flink.session.entries" -}}
{{- $root := . -}}
{{- $entries := list -}}
{{- range ternary .Values.session.jobs list (eq .Values.flink.type "session") -}}
{{- $file := include "flink.files.path" (include "flink.session.program" (dict "job" . "key" "file")) -}}
{{- $download := dict -}}
{{- if contains "://" $file -}}
{{- $download = dict "url" $file "sha256" (include "flink.session.program" (dict "job" . "key" "sha256")) -}}
{{- $file = printf "/exchange/files/%s/%s" .name ((urlParse $file).path | base) -}}
{{- end -}}
{{- $options := dict "pipeline.name" .name -}}
{{- with .parallelism }}{{ $_ := set $options "parallelism.default" (include "flink.text" .) }}{{ end -}}
{{- $args := list -}}
{{- range .args }}{{ $args = append $args (tpl (include "flink.text" .) $root) }}{{ end -}}
{{- $program := concat (list $file) $args -}}
{{- with dig "jar" "entryClass" "" . }}{{ $program = concat (list "--class" .) $program }}{{ end -}}
{{- /* After a jar, words belong to the job; after a Python file only after two hyphens. */ -}}
{{- if .python }}{{ $program = concat (list "--python" $file "--") $args }}{{ end -}}
{{- $content := get $root.Values.files (include "flink.session.program" (dict "job" . "key" "file")) -}}
{{- $hash := list .name $file $download $program $options (hasKey . "sql") $content (include "flink.image" $root) -}}
{{- with include "flink.client.highAvailability" $root }}{{ $_ := set $options "high-availability.type" . }}{{ end -}}
{{- $submitted := dict "file" $file "url" ($download.url | default "") "sha256" ($download.sha256 | default "") "sql" (hasKey . "sql")
      "argv" $program "options" $options "allow_non_restored_state" (.allowNonRestoredState | default false) -}}
{{- $savepoints := include "flink.option" (dict "root" $root "key" "execution.checkpointing.savepoint-dir") -}}
{{- $entries = append $entries (dict "name" .name "specification" ($hash | toJson | sha256sum | trunc 16)
      "upgrade_mode" (ternary "savepoint" "stateless" (ne $savepoints "")) "state" "running"
      "from_savepoint" (.fromSavepoint | default "") "program" $submitted) -}}
{{- end -}}
{{- toJson $entries -}}
{{- end }}

{{/*
The Job that submits: the hook and, beside it, the Flink image, whose client it has run. The client runs the programs of users, so the
token for Kubernetes is mounted in the hook alone: (dict "root" $ "event" "after").
*/}}
{{- define "flink.session.submitter" -}}
{{- include "flink.hooks.tries" .root }}
template:
  {{- include "flink.session.submitter.pod" . | nindent 2 }}
{{- end }}

{{- define "flink.session.submitter.pod" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $hook := include "flink.hooks.container" . | fromYaml -}}
{{- $mounts := concat $hook.volumeMounts (list
      (dict "name" "token" "mountPath" "/var/run/secrets/kubernetes.io/serviceaccount" "readOnly" true)
      (dict "name" "exchange" "mountPath" "/exchange")) -}}
{{- if $values.storage.enabled -}}
{{- $mounts = append $mounts (dict "name" "data" "mountPath" $values.storage.mountPath "readOnly" true) -}}
{{- end -}}
{{- $volumes := include "flink.session.volumes" $root | fromYamlArray -}}
{{- $client := list (dict "name" "exchange" "mountPath" "/exchange") -}}
{{- if $values.files -}}
{{- $volumes = append $volumes (include "flink.files.volume" $root | fromYaml) -}}
{{- $client = append $client (include "flink.files.mount" $root | fromYaml) -}}
{{- end -}}
{{- $volumes = concat $volumes $values.session.extraVolumes -}}
{{- $client = concat $client $values.session.extraVolumeMounts -}}
{{- $role := dict "resources" $values.session.resources "extraEnv" $values.jobmanager.extraEnv "sidecars" (list (set $hook "volumeMounts" $mounts))
      "extraVolumes" $volumes "extraVolumeMounts" $client -}}
{{- $pod := include "flink.podTemplate" (dict "root" $root "component" "submitter" "role" $role "restartPolicy" "Never"
      "main" "\nargs: [bash, /opt/flink/scripts/client.sh, /exchange]") | fromYaml -}}
{{- $_ := set $pod.spec "serviceAccountName" (include "flink.hooks.name" $root) -}}
{{- toYaml $pod -}}
{{- end }}

{{/* That pod as an object, for which the hooks ask the API server before they stop a job. */}}
{{- define "flink.session.submitter.object" -}}
{{- $pod := include "flink.session.submitter.pod" (dict "root" . "event" "after") | fromYaml -}}
{{- $_ := set $pod.metadata "name" (printf "%s-after-dry-run" (include "flink.fullname" .)) -}}
{{- merge (dict "apiVersion" "v1" "kind" "Pod") $pod | toJson -}}
{{- end }}

{{- define "flink.session.volumes" -}}
- name: hooks
  configMap: {name: {{ include "flink.hooks.name" . }}}
- name: exchange
  emptyDir: {}
- name: token
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: 3600}
      - configMap: {name: kube-root-ca.crt}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}

{{- define "flink.validate.session" -}}
{{- $values := .Values -}}
{{- $root := . -}}
{{- if gt (len (toJson $values.files)) 1000000 -}}
{{- fail (printf "files hold %d bytes, and a ConfigMap takes 1 MiB: put larger ones into the image, on the claim, or behind a URL." (len (toJson $values.files))) -}}
{{- end -}}
{{- range $name, $_ := $values.files -}}
{{- if not (regexMatch "^[-._a-zA-Z0-9]+$" $name) -}}
{{- fail (printf "files has %q, which is no name of a file: write letters, digits, hyphens, dots and underscores, for example job.py." $name) -}}
{{- end -}}
{{- end -}}
{{- if $values.session.jobs -}}
{{- if ne $values.flink.type "session" -}}
{{- fail "session.jobs is set, but flink.type is job, where the cluster runs the one job of `job`: set flink.type=session, or leave the list out." -}}
{{- end -}}
{{- if not $values.hooks.enabled -}}
{{- fail "session.jobs is set, but hooks.enabled is false, and nobody would submit them: set hooks.enabled=true, or leave the list out." -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range $values.session.jobs -}}
{{- $name := .name | default "" -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" $name) -}}
{{- fail (printf "session.jobs has a job with the name %q: write up to 63 small letters, digits and hyphens, for example word-count." $name) -}}
{{- end -}}
{{- if has $name $names -}}
{{- fail (printf "session.jobs has the name %s twice, by which the jobs are told apart: give one of them another." $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- $job := . -}}
{{- $kinds := list -}}
{{- range list "jar" "python" "sql" }}{{ if get $job . }}{{ $kinds = append $kinds . }}{{ end }}{{ end -}}
{{- $file := include "flink.session.program" (dict "job" . "key" "file") -}}
{{- if or (ne (len $kinds) 1) (not $file) -}}
{{- fail (printf "session.jobs: %s has to be one of three: write jar.file, python.file or sql.file, and leave the others out." $name) -}}
{{- end -}}
{{- $sha256 := include "flink.session.program" (dict "job" . "key" "sha256") -}}
{{- include "flink.validate.program" (dict "root" $root "who" (printf "session.jobs: %s" $name) "file" $file "sha256" $sha256
      "key" (printf "session.jobs: %s of %s" (first $kinds) $name) "sum" (printf "%s.sha256" (first $kinds))) -}}
{{- if and .sql .args -}}
{{- fail (printf "session.jobs: %s has args, but nobody hands them to a file of SQL: leave them out." $name) -}}
{{- end -}}
{{- $parallelism := .parallelism -}}
{{- with include "flink.tooFewSlots" (dict "root" $root "parallelism" $parallelism) -}}
{{- fail (printf "session.jobs: %s has a parallelism of %v, but %s slots: raise one of these, or lower it." $name $parallelism .) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
A file of a job that a value names, and its sum: (dict "root" $ "who" <subject of the sentences> "key" <name of the value> "file" "..."
"sha256" "..." "sum" <name of the value for it>).
*/}}
{{- define "flink.validate.program" -}}
{{- $file := include "flink.files.path" .file -}}
{{- if contains "://" $file -}}
{{- if not (regexMatch "^https?://[^/]+/.*[^/]$" $file) -}}
{{- fail (printf "%s has the URL %q: write one of http or https that ends with the name of a file." .who $file) -}}
{{- end -}}
{{- if not (regexMatch "^[0-9a-f]{64}$" (.sha256 | default "")) -}}
{{- fail (printf "%s is fetched from a URL, and nobody could tell whether it is the right file: write its sum beside it, %s, 64 hexadecimal digits, as `sha256sum` prints it." .who .sum) -}}
{{- end -}}
{{- else -}}
{{- if .sha256 -}}
{{- fail (printf "%s has a sha256, but its file is no URL, and the sum would not be looked at: leave it out." .who) -}}
{{- end -}}
{{- include "flink.validate.file" . -}}
{{- end -}}
{{- end }}

{{/* A file that a value names has to be one of `files`, or a path: (dict "root" $ "key" "job.python.file" "file" "..."). */}}
{{- define "flink.validate.file" -}}
{{- $known := hasKey .root.Values.files .file -}}
{{- if and .file (not $known) (not (hasPrefix "/" (trimPrefix "local://" .file))) -}}
{{- fail (printf "%s is %q, which is neither in files nor a path: add it to files, or write an absolute path in the image, for example /opt/flink/usrlib/%s." .key .file (base .file)) -}}
{{- end -}}
{{- end }}
