{{/*
What Helm itself does not hand on as it was written: (dict "path" "..." "value" <any>). From 2^53 on it has rounded a
whole number before any template sees it. Of a text with one of the characters below toYaml makes nothing, another
text, or a line that ends where it should not.
*/}}
{{- define "flink.validate.values" -}}
{{- $path := trimPrefix "." .path -}}
{{- if kindIs "float64" .value -}}
{{- if or (ge .value 9007199254740992.0) (le .value -9007199254740992.0) -}}
{{- fail (printf (cat "%s is a number of more digits than Helm can read without changing them (now %.0f):"
      "put it in quotes.") $path .value) -}}
{{- end -}}
{{- else if kindIs "string" .value -}}
{{- with regexFind "[\\x{7f}-\\x{9f}\\x{2028}\\x{2029}\\x{fffe}\\x{ffff}]" .value -}}
{{- fail (printf "%s has the character %+q, which Helm does not write into YAML as it is: leave it out." $path .) -}}
{{- end -}}
{{- else if or (kindIs "map" .value) (kindIs "slice" .value) -}}
{{- range $key, $value := .value -}}
{{- if not (or (kindIs "bool" $value) (kindIs "invalid" $value)) -}}
{{- include "flink.validate.values" (dict "path" (printf "%s.%v" $.path $key) "value" $value) -}}
{{- end -}}
{{- if kindIs "string" $key }}{{ include "flink.validate.values" (dict "path" $.path "value" $key) }}{{ end -}}
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
