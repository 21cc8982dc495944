{{/*
A custom resource whose kind the cluster does not have. Only who has asked a cluster knows: a cluster has pods, and
Helm's own list for `helm template` names no kinds: (dict "root" $ "key" <value> "on" <whether it is asked for> "api"
<group/version/Kind> "remedy" <what to install, or to write instead>).
*/}}
{{- define "flink.validate.api" -}}
{{- $known := .root.Capabilities.APIVersions -}}
{{- if and .on ($known.Has "v1/Pod") (not ($known.Has .api)) -}}
{{- fail (printf "%s is set, but the cluster has no %s: %s." .key .api .remedy) -}}
{{- end -}}
{{- end }}
