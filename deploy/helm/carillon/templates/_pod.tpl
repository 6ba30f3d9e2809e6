{{/* What all pods of Carillon's own have in common. */}}

{{/* (list $ "chat" settings): annotations. An address that changes has pods replaced. */}}
{{- define "carillon.podAnnotations" -}}
{{- $addresses := list (index . 0).Values.nats.url (index . 0).Values.database.url -}}
{{- if join "" $addresses -}}
checksum/addresses: {{ toJson $addresses | sha256sum }}
{{- end }}
{{- with (index . 2).podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "carillon.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "carillon.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "carillon.pullSecrets" -}}
{{- with .Values.image.pullSecrets -}}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* (list $ "chat" settings): where its pods go: not all on one node or in one zone, and as the settings say. */}}
{{- define "carillon.scheduling" -}}
{{- $settings := index . 2 -}}
{{- if $settings.topologySpread.enabled -}}
topologySpreadConstraints:
{{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ $key }}
    whenUnsatisfiable: {{ $settings.topologySpread.whenUnsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "carillon.selector" $ | nindent 8 }}
{{- end }}
{{- end }}
{{- with include "carillon.affinity" . }}
affinity: {{- . | nindent 2 }}
{{- end }}
{{- with $settings.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $settings.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* Pods that share a volume which one node alone can write are kept there together. */}}
{{- define "carillon.affinity" -}}
{{- $affinity := (index . 2).affinity | deepCopy -}}
{{- if and (include "carillon.sharesVolume" .) (has "ReadWriteOnce" (include "carillon.blobs" (index . 0) | fromYaml).accessModes) -}}
{{- $labels := dict "app.kubernetes.io/instance" (index . 0).Release.Name "carillon/files" "volume" -}}
{{- $term := dict "topologyKey" "kubernetes.io/hostname" "labelSelector" (dict "matchLabels" $labels) -}}
{{- $pods := $affinity.podAffinity | default dict | deepCopy -}}
{{- $terms := append ($pods.requiredDuringSchedulingIgnoredDuringExecution | default list) $term -}}
{{- $_ := set $pods "requiredDuringSchedulingIgnoredDuringExecution" $terms -}}
{{- $_ := set $affinity "podAffinity" $pods -}}
{{- end -}}
{{- with $affinity -}}{{- toYaml . -}}{{- end -}}
{{- end -}}

{{/* (list $ "chat" settings): something, if it mounts the volume of files. */}}
{{- define "carillon.sharesVolume" -}}
{{- if and (has (index . 1) (list "gateway" "chat")) (include "carillon.blobs" (index . 0) | fromYaml).volume -}}true{{- end -}}
{{- end -}}

{{/* (list $ "chat"): the Secrets that it reads as files, by the names of volumes. Nothing more than a process needs is in its pod. */}}
{{- define "carillon.mountedSecrets" -}}
{{- $values := (index . 0).Values -}}
{{- $component := index . 1 -}}
{{- $secrets := dict -}}
{{- with $values.nats.credentialsSecret -}}
{{- $items := list (dict "key" (printf "%s.creds" $component) "path" (printf "%s.creds" $component)) -}}
{{- $_ := set $secrets "nats-credentials" (dict "path" "/etc/carillon/nats" "secretName" . "items" $items) -}}
{{- end -}}
{{- with $values.nats.caSecret -}}
{{- $_ := set $secrets "nats-ca" (dict "path" "/etc/carillon/nats-ca" "secretName" .) -}}
{{- end -}}
{{- with $values.nats.certificateSecret -}}
{{- $_ := set $secrets "nats-certificate" (dict "path" "/etc/carillon/nats-certificate" "secretName" .) -}}
{{- end -}}
{{- if ne $component "gateway" -}}
{{- with $values.database.caSecret -}}
{{- $_ := set $secrets "database-ca" (dict "path" "/etc/carillon/database" "secretName" .) -}}
{{- end -}}
{{- else -}}
{{- with $values.gateway.tls.existingSecret -}}
{{- $_ := set $secrets "tls" (dict "path" "/etc/carillon/tls" "secretName" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml $secrets -}}
{{- end -}}

{{- define "carillon.volumeMounts" -}}
{{- $settings := index . 2 -}}
{{- if include "carillon.sharesVolume" . }}
- {name: blobs, mountPath: /var/lib/carillon/blobs}
{{- end }}
{{- range $name, $directory := include "carillon.mountedSecrets" . | fromYaml }}
- {name: {{ $name }}, mountPath: {{ $directory.path }}, readOnly: true}
{{- end }}
{{- with $settings.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "carillon.volumes" -}}
{{- $settings := index . 2 -}}
{{- if include "carillon.sharesVolume" . }}
- name: blobs
  persistentVolumeClaim: {claimName: {{ (include "carillon.blobs" (index . 0) | fromYaml).claim }}}
{{- end }}
{{- range $name, $directory := include "carillon.mountedSecrets" . | fromYaml }}
- name: {{ $name }}
  secret: {{ omit $directory "path" | toJson }}
{{- end }}
{{- with $settings.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ "chat" settings): whether it can do its work, and whether it runs at all. */}}
{{- define "carillon.probes" -}}
{{- $settings := index . 2 -}}
startupProbe:
  httpGet: {path: /healthz, port: ops}
  {{- toYaml $settings.startupProbe | nindent 2 }}
livenessProbe:
  httpGet: {path: /healthz, port: ops}
  {{- toYaml $settings.livenessProbe | nindent 2 }}
readinessProbe:
  httpGet: {path: /readyz, port: ops}
  {{- toYaml $settings.readinessProbe | nindent 2 }}
{{- end -}}
