{{/* The jobs of a session. */}}
{{- define "flink.validate.session" -}}
{{- $values := .Values -}}
{{- $root := . -}}
{{- if $values.session.jobs -}}
{{- if ne $values.flink.type "session" -}}
{{- fail (cat
      "session.jobs is set, but flink.type is job, where the cluster runs the one job of `job`: set flink.type=session,"
      "or leave the list out.") -}}
{{- end -}}
{{- if not $values.hooks.enabled -}}
{{- fail (cat
      "session.jobs is set, but hooks.enabled is false, and nobody would submit them: set hooks.enabled=true, or leave"
      "the list out.") -}}
{{- end -}}
{{- end -}}
{{- $names := list -}}
{{- range include "flink.session.jobs" . | fromJsonArray -}}
{{- $name := .name | default "" -}}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" $name) -}}
{{- fail (printf (cat
      "session.jobs has a job with the name %q: write up to 63 small letters, digits and hyphens, for example"
      "word-count.") $name) -}}
{{- end -}}
{{- if has $name $names -}}
{{- fail (printf (cat
      "session.jobs has the name %s twice, by which the jobs are told apart: give one of them another.") $name) -}}
{{- end -}}
{{- $names = append $names $name -}}
{{- $job := . -}}
{{- $kinds := list -}}
{{- range list "jar" "python" "sql" }}{{ if get $job . }}{{ $kinds = append $kinds . }}{{ end }}{{ end -}}
{{- $file := include "flink.session.program" (dict "job" . "key" "file") -}}
{{- if eq $values.flink.mode "operator" }}{{ include "flink.validate.operator.sessionJob" . }}{{ end -}}
{{- if or (ne (len $kinds) 1) (not $file) -}}
{{- fail (printf (cat
      "session.jobs: %s has to be one of three: write jar.file, python.file or sql.file, and leave the others out.")
      $name) -}}
{{- end -}}
{{- $sha256 := include "flink.session.program" (dict "job" . "key" "sha256") -}}
{{- if ne $values.flink.mode "operator" -}}
{{- include "flink.validate.program" (dict "root" $root "who" (printf "session.jobs: %s" $name) "file" $file
      "key" (printf "session.jobs: %s of %s" (first $kinds) $name)
      "sha256" $sha256 "checksum" (printf "%s.sha256" (first $kinds))) -}}
{{- end -}}
{{- if and .sql .args -}}
{{- fail (printf "session.jobs: %s has args, but nobody hands them to a file of SQL: leave them out." $name) -}}
{{- end -}}
{{- $parallelism := .parallelism -}}
{{- with include "flink.tooFewSlots" (dict "root" $root "parallelism" $parallelism) -}}
{{- fail (printf (cat
      "session.jobs: %s has a parallelism of %v, but %s slots: raise one of these, or lower it.")
      $name $parallelism .) -}}
{{- end -}}
{{- end -}}
{{- end }}
