{{/* Which table of options holds for the version, as `ci options` calls it. */}}
{{- define "flink.options.series" -}}
{{- ternary "1.20" "2.2" (hasPrefix "1." (include "flink.version" .)) -}}
{{- end }}

{{/* {old name: new names, with spaces between} of the version, as JSON. */}}
{{- define "flink.options.old" -}}
{{- $old := (.Files.Get "files/options/names.json" | fromJson).old -}}
{{- merge (get $old (include "flink.options.series" .)) $old.all | toJson -}}
{{- end }}

{{/* The names that Flink has today for an option, as a JSON list: (dict "old" <flink.options.old> "key" "..."). */}}
{{- define "flink.options.names" -}}
{{- without (splitList " " (get .old .key)) "" | default (list .key) | toJson -}}
{{- end }}

{{/* What values write, by the names that Flink has for it today, as JSON: name -> {written, where, value}. */}}
{{- define "flink.options.written" -}}
{{- $written := dict -}}
{{- $config := .Values.flink.config -}}
{{- $secrets := .Values.flink.configFrom -}}
{{- if or $config $secrets -}}
{{- $old := include "flink.options.old" . | fromJson -}}
{{- range $secret := $secrets -}}
{{- range include "flink.options.names" (dict "old" $old "key" $secret.name) | fromJsonArray -}}
{{- $_ := set $written . (dict "written" $secret.name "where" "flink.configFrom" "secret" $secret.secretKeyRef) -}}
{{- end -}}
{{- end -}}
{{- range $key, $value := $config -}}
{{- range include "flink.options.names" (dict "old" $old "key" $key) | fromJsonArray -}}
{{- $_ := set $written . (dict "written" $key "where" "flink.config" "value" (include "flink.text" $value)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $written -}}
{{- end }}

{{/* flink.config as text by the names of today, as JSON: an old name counts as the new one. */}}
{{- define "flink.options.given" -}}
{{- $given := dict -}}
{{- range $name, $option := include "flink.options.written" . | fromJson -}}
{{- if hasKey $option "value" }}{{ $_ := set $given $name $option.value }}{{ end -}}
{{- end -}}
{{- toJson $given -}}
{{- end }}

{{/* How a sentence names an option: (dict "name" <today's> "option" <of flink.options.written>). */}}
{{- define "flink.options.called" -}}
{{- .option.where }} sets {{ .option.written }}{{ if ne .name .option.written }}, an old name of {{ .name }}{{ end -}}
{{- end }}

{{/*
A sentence for each option of flink.config that Flink does not have, as a JSON list. What takes free names is left
alone, and so are names of which nothing is Flink's: they are the job's.
*/}}
{{- define "flink.options.unknown" -}}
{{- $sentences := list -}}
{{- $sections := list "metrics" "security" "fs" "s3" "s3a" "s3p" "presto" "gs" "oss" "azure" "env" "containerized"
      "kubernetes" "pekko" "external-resource" "sql-gateway\\.endpoint" "events" "traces" -}}
{{- $free := printf "^(%s)\\." (join "|" $sections) -}}
{{- $series := include "flink.options.series" . -}}
{{- $given := include "flink.options.written" . | fromJson -}}
{{- $sentences = include "flink.options.withoutEffect" (dict "root" . "options" $given) | fromJsonArray -}}
{{- $names := list -}}
{{- /* Flink's own section until 2.0. */ -}}
{{- $known := dict "akka" true -}}
{{- if $given -}}
{{- range splitList "\n" (.Files.Get "files/options/known.txt" | trim) -}}
{{- $words := splitList " " . -}}
{{- $others := without (rest $words) "*" -}}
{{- if or (not $others) (has $series $others) -}}
{{- $name := first $words -}}
{{- if has "*" $words -}}
{{- range $key, $_ := $given -}}
{{- if hasPrefix (printf "%s." $name) $key }}{{ $given = omit $given $key }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $given = omit $given $name -}}
{{- $names = append $names $name -}}
{{- $_ := set $known (splitList "." $name | first) true -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $key, $option := $given -}}
{{- if regexMatch "^(kubernetes\\.operator|job\\.autoscaler)\\." $key -}}
{{- if ne $.Values.flink.mode "operator" -}}
{{- $sentences = append $sentences (printf (cat "%s sets %s, which the Flink Kubernetes"
      "Operator reads and nothing else: look for a value of this chart under job, savepoints or taskmanager.")
      $option.where $option.written) -}}
{{- end -}}
{{- else if not (regexMatch $free $key) -}}
{{- $nearest := include "flink.options.nearest" (dict "key" $key "names" $names) | fromJson -}}
{{- $ours := hasKey $known (splitList "." $key | first) -}}
{{- if or $ours (ge (int $nearest.percent) 85) -}}
{{- $guess := ternary (printf " did you mean %s?" $nearest.name) "" (ge (int $nearest.percent) 65) -}}
{{- $guess = $guess | default " it is ignored, unless a program in the image reads it." -}}
{{- $sentences = append $sentences (printf "%s sets %s, which is no option of Flink %s:%s" $option.where
      $option.written $series $guess) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $sentences -}}
{{- end }}

{{/*
A sentence for each option that Flink has and does not read here, as a JSON list: (dict "root" $ "options" <map>).
*/}}
{{- define "flink.options.withoutEffect" -}}
{{- $sentences := list -}}
{{- $native := include "flink.makesTaskManagers" .root -}}
{{- $operator := eq .root.Values.flink.mode "operator" -}}
{{- range $key, $option := .options -}}
{{- $sets := printf "%s sets %s, which" $option.where $option.written -}}
{{- if regexMatch "^metrics\\.reporter\\.[^.]+\\.class$" $key -}}
{{- $sentences = append $sentences (printf "%s Flink reads no more: write %s.factory.class, with a factory." $sets
      (trimSuffix ".class" $key)) -}}
{{- else if and (hasPrefix "kubernetes.jobmanager." $key) (not $operator) -}}
{{- $sentences = append $sentences (cat $sets "only a client of Flink reads, and the chart makes the JobManager: look"
      "for a value under jobmanager.") -}}
{{- else if and (hasPrefix "kubernetes.taskmanager." $key) (not $native) -}}
{{- $sentences = append $sentences (cat $sets "Flink reads in native mode alone, and flink.mode is standalone: look"
      "for a value under taskmanager.") -}}
{{- end -}}
{{- end -}}
{{- toJson $sentences -}}
{{- end }}

{{/*
The name that a key is most like, as JSON: {name, percent}. What two names have in common at their beginning and at
their end tells where one place of a name is mistyped: (dict "key" "..." "names" <list>).
*/}}
{{- define "flink.options.nearest" -}}
{{- $key := .key -}}
{{- $best := dict "name" "" "percent" 0 -}}
{{- $length := len $key -}}
{{- $starts := list -}}
{{- $ends := list -}}
{{- range $i := untilStep 1 (int (add $length 1)) 1 -}}
{{- $starts = append $starts (trunc $i $key) -}}
{{- $ends = append $ends (trunc (int (mul -1 $i)) $key) -}}
{{- end -}}
{{- range $name := .names -}}
{{- $longer := max $length (len $name) -}}
{{- $shorter := min $length (len $name) -}}
{{- /* Too long or too short to be better than the best one. */ -}}
{{- if gt (div (mul 100 $shorter) $longer) $best.percent -}}
{{- $common := 0 -}}
{{- range $starts -}}
{{- if not (hasPrefix . $name) }}{{ break }}{{ end -}}
{{- $common = add $common 1 -}}
{{- end -}}
{{- range $ends -}}
{{- if or (not (hasSuffix . $name)) (ge $common $shorter) }}{{ break }}{{ end -}}
{{- $common = add $common 1 -}}
{{- end -}}
{{- $percent := div (mul 100 $common) $longer -}}
{{- if gt $percent $best.percent }}{{ $best = dict "name" $name "percent" $percent }}{{ end -}}
{{- end -}}
{{- end -}}
{{- toJson $best -}}
{{- end }}
