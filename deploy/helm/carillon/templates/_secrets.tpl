{{/* Where secrets are: in objects of the operator's, or in those that the chart makes. */}}

{{- define "carillon.natsSecret" -}}
{{- .Values.nats.existingSecret | default (include "carillon.name" (list . "nats")) -}}
{{- end -}}

{{- define "carillon.databaseSecret" -}}
{{- .Values.database.existingSecret | default (include "carillon.name" (list . "database")) -}}
{{- end -}}

{{- define "carillon.blobSecret" -}}
{{- .Values.blobs.existingSecret | default (include "carillon.name" (list . "blobs")) -}}
{{- end -}}

{{- define "carillon.adminSecret" -}}
{{- .Values.auth.bootstrapAdmin.existingSecret | default (include "carillon.name" (list . "admin")) -}}
{{- end -}}

{{/* The first admin's name. A demo has one of its own, and where auth is another's nobody knows. */}}
{{- define "carillon.admin" -}}
{{- if and .Values.auth.enabled (not .Values.auth.demo) -}}{{- .Values.auth.bootstrapAdmin.name -}}{{- end -}}
{{- end -}}

{{/*
(list $ "name of a Secret" "entry"): a secret that is generated once. What the cluster has is kept, whatever is upgraded. It begins
with a letter, because NATS would take what begins with a digit for a number.
*/}}
{{- define "carillon.generated" -}}
{{- $root := index . 0 -}}
{{- $found := lookup "v1" "Secret" $root.Release.Namespace (index . 1) | default dict -}}
{{- $kept := get ($found.data | default dict) (index . 2) -}}
{{- if $kept -}}
{{- $kept | b64dec -}}
{{- else -}}
{{- printf "c%s" (randAlphaNum 39) -}}
{{- end -}}
{{- end -}}

{{/* Where files are, as YAML: location, and whether it is a volume, of what kind. Without a location there are none. */}}
{{- define "carillon.blobs" -}}
{{- $blobs := .Values.blobs -}}
{{- $volume := $blobs.volume -}}
{{- if $blobs.store -}}
location: {{ $blobs.store | quote }}
volume: false
{{- else if $volume.enabled -}}
location: /var/lib/carillon/blobs
volume: true
claim: {{ $volume.existingClaim | default (include "carillon.name" (list . "blobs")) }}
size: {{ $volume.size }}
storageClass: {{ $volume.storageClass | quote }}
accessModes: {{ toJson $volume.accessModes }}
{{- else if and .Values.trial.enabled .Values.trial.blobs.enabled -}}
location: /var/lib/carillon/blobs
volume: true
claim: {{ include "carillon.name" (list . "blobs") }}
size: {{ .Values.trial.blobs.size }}
storageClass: {{ .Values.trial.blobs.storageClass | quote }}
accessModes: [ReadWriteOnce]
{{- else -}}
location: ""
volume: false
{{- end -}}
{{- end -}}
