{{/* Names, labels and images. */}}

{{- define "carillon.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* (list $ "chat"): an object's name. */}}
{{- define "carillon.name" -}}
{{- printf "%s-%s" (include "carillon.fullname" (index . 0)) (index . 1) -}}
{{- end -}}

{{/* (list $ "chat"): what pods are chosen by. It never changes from version to version. */}}
{{- define "carillon.selector" -}}
app.kubernetes.io/name: carillon
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* (list $ "chat"): the labels of pods: nothing that changes with a version, which would replace them. */}}
{{- define "carillon.podLabels" -}}
{{ include "carillon.selector" . }}
app.kubernetes.io/part-of: carillon
{{- end -}}

{{/* (list $ "chat"): the labels of an object. */}}
{{- define "carillon.labels" -}}
{{ include "carillon.podLabels" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ printf "%s-%s" (index . 0).Chart.Name (index . 0).Chart.Version }}
{{- end -}}

{{/* (list $ settings): the image of a component. */}}
{{- define "carillon.image" -}}
{{- $image := include "carillon.merge" (list (index . 0).Values.image ((index . 1).image | default dict)) | fromYaml -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (index . 0).Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* (list $ settings): its pull policy. */}}
{{- define "carillon.pullPolicy" -}}
{{- ((index . 1).image | default dict).pullPolicy | default (index . 0).Values.image.pullPolicy -}}
{{- end -}}

{{/* (list $ "chat" settings): whose account its pods have. */}}
{{- define "carillon.serviceAccountName" -}}
{{- $account := (index . 2).serviceAccount -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "carillon.name" . -}}
{{- else -}}
default
{{- end -}}
{{- end -}}
