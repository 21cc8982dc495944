{{/*
Pod template of a workload that runs Flink: (dict "root" $ "component" "jobmanager" "role" <values of the role> "main" <YAML of what
is the container's own: args, ports, probes> "restartPolicy" <optional> "withoutState" <optional, for what is no JobManager or
TaskManager> "native" <whether Flink makes the pod>). What a pod runs changes with the values of its role alone: labels for all objects
replace no pod.
*/}}
{{- define "flink.podTemplate" -}}
{{- $root := .root -}}
{{- $claim := and $root.Values.storage.enabled (not .withoutState) -}}
{{- $state := dict "initContainers" list "env" list "volumes" list "volumeMounts" list -}}
{{- if not .withoutState }}{{ $state = include "flink.pod.own" (dict "root" $root "native" .native) | fromJson }}{{ end -}}
{{- $labels := include "flink.selectorLabels" . | fromYaml -}}
{{- if $claim }}{{ $labels = merge $labels (dict "flink/claim" "mounted") }}{{ end -}}
metadata:
  labels:
    {{- merge $labels (.role.podLabels | default dict) | toYaml | nindent 4 }}
  {{- if not .withoutState }}
  annotations:
    checksum/config: {{ include "flink.configChecksum" (dict "root" $root "role" .component) }}
    {{- with .role.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  serviceAccountName: {{ include "flink.serviceAccount.name" $root }}
  automountServiceAccountToken: {{ or (and (has .component (list "jobmanager" "taskmanager")) (eq (include "flink.leaderInKubernetes" $root) "true"))
      (and (eq .component "jobmanager") (eq $root.Values.flink.mode "native")) }}
  enableServiceLinks: false
  {{- with .restartPolicy }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with .role.terminationGracePeriodSeconds }}
  terminationGracePeriodSeconds: {{ . }}
  {{- end }}
  {{- with $root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . | quote }}
    {{- end }}
  {{- end }}
  securityContext:
    {{- toYaml $root.Values.podSecurityContext | nindent 4 }}
  {{- with .role.priorityClassName }}
  priorityClassName: {{ . | quote }}
  {{- end }}
  {{- with .role.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .role.affinity | default (include "flink.claimAffinity" $root | fromYaml) }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .role.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .role.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if or .role.initContainers $state.initContainers }}
  initContainers:
    {{- with $state.initContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .role.initContainers }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
  {{- end }}
  containers:
    - name: {{ ternary "flink-main-container" .component (.native | default false) }}
      image: {{ include "flink.image" $root }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      {{- .main | nindent 6 }}
      env:
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: POD_IP
          valueFrom: {fieldRef: {fieldPath: status.podIP}}
        {{- with $state.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with .role.extraEnv }}
        {{- tpl (toYaml .) $root | nindent 8 }}
        {{- end }}
      resources:
        {{- toYaml .role.resources | nindent 8 }}
      securityContext:
        {{- toYaml $root.Values.securityContext | nindent 8 }}
      volumeMounts:
        {{- if not (or .native (and $root.Values.flink.configFrom (not .withoutState))) }}
        - {name: config, mountPath: /opt/flink/conf, readOnly: true}
        {{- end }}
        - {name: scripts, mountPath: /opt/flink/scripts, readOnly: true}
        - {name: tmp, mountPath: /tmp}
        - {name: log, mountPath: /opt/flink/log}
        {{- if $claim }}
        - {name: data, mountPath: {{ $root.Values.storage.mountPath | quote }}}
        {{- end }}
        {{- with $state.volumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        {{- with .role.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .role.sidecars }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
  volumes:
    {{- if not .native }}
    - name: config
      configMap: {name: {{ include "flink.config.name" $root }}}
    {{- end }}
    - name: scripts
      configMap: {name: {{ include "flink.scripts.name" $root }}}
    - name: tmp
      emptyDir: {}
    - name: log
      emptyDir: {}
    {{- if $claim }}
    - name: data
      persistentVolumeClaim: {claimName: {{ include "flink.claim.name" $root }}}
    {{- end }}
    {{- with $state.volumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .role.extraVolumes }}
    {{- tpl (toYaml .) $root | nindent 4 }}
    {{- end }}
{{- end }}

{{/* A claim that only one node can mount: every pod that mounts it goes where the others are. The first one is free to choose. */}}
{{- define "flink.claimAffinity" -}}
{{- $modes := .Values.storage.accessModes -}}
{{- if and .Values.storage.enabled (not (has "ReadWriteMany" $modes)) -}}
podAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- include "flink.selectorLabels" (dict "root" .) | nindent 10 }}
          flink/claim: mounted
{{- end -}}
{{- end }}
