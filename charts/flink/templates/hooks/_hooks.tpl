{{- define "flink.hooks.name" -}}{{ include "flink.fullname" . }}-hooks{{- end }}
{{- define "flink.record.name" -}}{{ include "flink.fullname" . }}-record{{- end }}

{{/* Within the limit of a CronJob's name. */}}
{{- define "flink.savepoints.name" -}}
{{ include "flink.shorten" (dict "name" (include "flink.fullname" .) "limit" 42) }}-savepoint
{{- end }}

{{/* Whether hooks run: what the operator runs it carries over upgrades itself. */}}
{{- define "flink.hooks.run" -}}
{{- if and .Values.hooks.enabled (ne .Values.flink.mode "operator") }}true{{ end -}}
{{- end }}

{{/* Whether there is a job to take savepoints of, and a directory for them. */}}
{{- define "flink.savepoints.offered" -}}
{{- if and (include "flink.job.carried" .)
      (include "flink.option" (dict "root" . "key" "execution.checkpointing.savepoint-dir")) -}}
true
{{- end -}}
{{- end }}

{{/* Whether the hooks run in Flink's image. */}}
{{- define "flink.hooks.inOwnImage" -}}
{{- if and (not .Values.hooks.image) (eq .Values.flink.type "job") (eq (include "flink.job.kind" .) "python") -}}
true
{{- end -}}
{{- end }}

{{/* An image with Python: a Python job brings it along. */}}
{{- define "flink.hooks.image" -}}
{{- $python := "python:3.11-slim-bookworm" -}}
{{- if .Values.hooks.image -}}
{{- include "flink.image.of" (dict "root" . "name" .Values.hooks.image) -}}
{{- else if include "flink.hooks.inOwnImage" . -}}
{{- include "flink.image" . -}}
{{- else -}}
{{- include "flink.image.of" (dict "root" . "name" $python "registry" .Values.image.registry) -}}
{{- end -}}
{{- end }}

{{/*
Event of files/hooks/operations.py -> events of Helm, as YAML. One Job serves install and upgrade: whoever renders this
without Helm runs both at each change, and the hook sees for itself what is there.
*/}}
{{- define "flink.hooks.events" -}}
{{- $carried := include "flink.job.carried" . -}}
{{- $session := and (include "flink.hooks.run" .) (eq .Values.flink.type "session") -}}
{{- if or $carried $session }}
before: pre-install,pre-upgrade
before-rollback: pre-rollback
after-uninstall: post-delete
{{- end }}
{{- if or $carried (include "flink.session.submits" .) (and $session (eq .Values.flink.mode "native")) }}
after: post-install,post-upgrade
after-rollback: post-rollback
{{- end }}
{{- if and $carried .Values.job.savepointOnUninstall }}
before-uninstall: pre-delete
{{- end }}
{{- end }}

{{/* Accounts of the hooks: the chart's own, or one that is there already. */}}
{{- define "flink.hooks.account" -}}
{{ .Values.hooks.serviceAccountName | default (include "flink.hooks.name" .) }}
{{- end }}
{{- define "flink.hooks.uninstallAccount" -}}
{{ .Values.hooks.serviceAccountName | default (printf "%s-uninstall" (include "flink.hooks.name" .)) }}
{{- end }}
{{- define "flink.savepoints.account" -}}
{{- $given := .Values.savepoints.serviceAccountName | default .Values.hooks.serviceAccountName -}}
{{ $given | default (include "flink.savepoints.name" .) }}
{{- end }}

{{/* Metadata of what the Jobs of the hooks need: (dict "root" $ "name" "..." "on" <events of Helm>). */}}
{{- define "flink.hooks.metadata" -}}
{{ include "flink.metadata" (dict "root" .root "component" "hooks" "name" .name
      "annotations" (dict "helm.sh/hook" .on "helm.sh/hook-weight" "-10"
          "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded,hook-failed")) }}
{{- end }}

{{/* What accounts may do by the Role of that name: (dict "role" <its name> "accounts" <list>). */}}
{{- define "flink.hooks.binding" -}}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .role }}
subjects:
  {{- range uniq .accounts }}
  - kind: ServiceAccount
    name: {{ . | quote }}
  {{- end }}
{{- end }}

{{/* How often a Job or CronJob of the hooks is tried, and for how long. */}}
{{- define "flink.hooks.tries" -}}
activeDeadlineSeconds: {{ add .Values.hooks.timeoutSeconds 20 }}
# A pod that lost its node is tried again; an operation that failed is not.
backoffLimit: 2
podFailurePolicy:
  rules:
    - action: FailJob
      onExitCodes: {operator: In, values: [1]}
{{- end }}

{{/*
What the container of an event runs: (dict "root" $ "event" "..."). Whether a Python job's own image holds Python is
known only there. Where it does not, what has ended is not failed for it: Helm has deleted the release's objects.
*/}}
{{- define "flink.hooks.program" -}}
{{- if include "flink.hooks.inOwnImage" .root -}}
{{- $ended := eq .event "after-uninstall" -}}
{{- $lacks := printf (cat "image.repository and image.tag name %s, which holds no Python, and job.python.file needs it"
      ) (include "flink.image" .root) -}}
{{- $steps := printf "Error: %s: name an image that holds Flink, Python and the job." $lacks -}}
{{- if eq .event "before-uninstall" -}}
{{- $steps = cat $steps "To uninstall without a savepoint: helm uninstall --no-hooks." -}}
{{- else if $ended -}}
{{- $steps = printf (cat "Warning: %s: what is kept of a job that ran with another image, ConfigMap %s and what high"
      "availability stores, is not deleted.") $lacks (include "flink.record.name" .root) -}}
{{- end -}}
command:
  - sh
  - -c
  - command -v python3 >/dev/null || { echo "$0"; exit {{ ternary 0 1 $ended }}; }; exec python3 -B "$@"
  - {{ $steps | quote }}
  - -m
  - hooks
  - {{ .event }}
{{- else -}}
command: [python3, -B, -m, hooks, {{ .event }}]
{{- end }}
workingDir: /
terminationMessagePolicy: FallbackToLogsOnError
{{- end }}

{{/*
The pod of an event: (dict "root" $ "event" "..." "role" <hooks or savepoint> "account" "..." "scripts" <ConfigMap>).
*/}}
{{- define "flink.hooks.pod" -}}
{{- $parts := list "hooks" "tls" -}}
{{- if has .event (list "before" "before-rollback") }}{{ $parts = append $parts "s3" }}{{ end -}}
{{- include "flink.pod" (dict "root" .root "component" "hooks" "role" .role "name" .event "parts" $parts
      "scripts" .scripts "account" .account "token" "true" "restartPolicy" "Never"
      "image" (include "flink.hooks.image" .root) "container" (include "flink.hooks.program" .)) -}}
{{- end }}
