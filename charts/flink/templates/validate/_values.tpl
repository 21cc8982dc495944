{{/* From 2^53 on Helm has rounded a whole number before any template sees it: (dict "path" "..." "value" <any>). */}}
{{- define "flink.validate.numbers" -}}
{{- $path := .path -}}
{{- if kindIs "float64" .value -}}
{{- if or (ge .value 9007199254740992.0) (le .value -9007199254740992.0) -}}
{{- fail (printf (cat "%s is a number of more digits than Helm can read without changing them (now %.0f):"
      "put it in quotes.") (trimPrefix "." $path) .value) -}}
{{- end -}}
{{- else if or (kindIs "map" .value) (kindIs "slice" .value) -}}
{{- range $key, $value := .value -}}
{{- if or (kindIs "float64" $value) (kindIs "map" $value) (kindIs "slice" $value) -}}
{{- include "flink.validate.numbers" (dict "path" (printf "%s.%v" $path $key) "value" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "flink.validate.image" -}}
{{- $image := .Values.image -}}
{{- /* Digits with an e between, as commits have them, are a number too, and a large one. */ -}}
{{- if and (kindIs "float64" $image.tag) (ge (toString $image.tag | float64) 1e9) -}}
{{- fail (printf "image.tag is %s, a number, of which another text may be meant: put it in quotes."
      (include "flink.text" $image.tag)) -}}
{{- end -}}
{{- /* Of other images nobody knows what their tags count. */ -}}
{{- $tag := include "flink.word" (dict "key" "image.tag" "value" $image.tag) -}}
{{- $of := regexFind "^[0-9]+[.][0-9]+" $tag -}}
{{- $version := include "flink.version" . -}}
{{- $tells := or (regexMatch "^(docker\\.io/)?((library|apache)/)?flink$" $image.repository)
      (regexMatch "-java[0-9]+$" $tag) -}}
{{- if and $of $tells (not $image.digest) (ne $of (regexFind "^[0-9]+[.][0-9]+" $version)) -}}
{{- fail (printf (cat "image.tag is %s, but flink.version is %s, by which the chart writes its options: set"
      "flink.version=%s.") $tag $version (regexFind "^[0-9.]*[0-9]" $tag)) -}}
{{- end -}}
{{- if regexMatch "(:[^/]*$|@)" $image.repository -}}
{{- fail (printf (cat "image.repository is %s, which names a tag or a digest too: write that into image.tag or"
      "image.digest.") $image.repository) -}}
{{- end -}}
{{- range $key, $registry := dict "image.registry" $image.registry
      "global.imageRegistry" .Values.global.imageRegistry -}}
{{- if contains "://" ($registry | default "") -}}
{{- fail (printf "%s is %s: write the registry without a scheme, for example registry.example.com." $key $registry) -}}
{{- end -}}
{{- end -}}
{{- $plain := include "flink.image.of" (dict "root" . "name" $image.repository "registry" "registry") -}}
{{- if and $image.registry (eq $plain $image.repository) -}}
{{- fail (printf "image.registry is %s, but image.repository (%s) names a registry too: leave it out of one of them."
      $image.registry $image.repository) -}}
{{- end -}}
{{- end }}
