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
