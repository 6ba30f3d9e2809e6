{{/* What no schema can say: values that contradict each other. Each refusal names the values. */}}
{{- define "carillon.validate" -}}
{{- $services := without (include "carillon.components" . | fromYamlArray) "gateway" -}}
{{- if .Values.trial.enabled -}}
{{- if or .Values.nats.url .Values.nats.existingSecret -}}
{{- fail "trial.enabled brings a NATS of its own: nats.url and nats.existingSecret are for another" -}}
{{- end -}}
{{- if or .Values.database.url .Values.database.existingSecret -}}
{{- fail "trial.enabled brings a Postgres of its own: database.url and database.existingSecret are for another" -}}
{{- end -}}
{{- else -}}
{{- if not (or .Values.nats.url .Values.nats.existingSecret) -}}
{{- fail "nats.url or nats.existingSecret: where is NATS? (--set trial.enabled=true brings one for a trial)" -}}
{{- end -}}
{{- if and $services (not (or .Values.database.url .Values.database.existingSecret)) -}}
{{- fail "database.url or database.existingSecret: where is Postgres? (--set trial.enabled=true brings one for a trial)" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.auth.demo (not .Values.trial.enabled) -}}
{{- fail "auth.demo: everyone knows the demo's passwords; it is for a trial (trial.enabled)" -}}
{{- end -}}
{{- range $service := list "nats" "database" -}}
{{- $values := get $.Values $service -}}
{{- if and $values.url $values.existingSecret -}}
{{- fail (printf "%s.url and %s.existingSecret: one of them" $service $service) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.blobs.store .Values.blobs.volume.enabled -}}
{{- fail "blobs.store and blobs.volume.enabled: one of them" -}}
{{- end -}}
{{- if .Values.ingress.enabled -}}
{{- if not .Values.gateway.enabled -}}
{{- fail "ingress.enabled: there is no gateway (gateway.enabled)" -}}
{{- end -}}
{{- if not .Values.ingress.hosts -}}
{{- fail "ingress.hosts: by which hosts do clients come?" -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.tls.enabled (not .Values.ingress.tls.secretName) -}}
{{- fail "ingress.tls.secretName: which Secret has the certificate?" -}}
{{- end -}}
{{- range $component := include "carillon.components" . | fromYamlArray -}}
{{- $autoscaling := (include "carillon.settings" (list $ $component) | fromYaml).autoscaling -}}
{{- if gt (int $autoscaling.minReplicas) (int $autoscaling.maxReplicas) -}}
{{- fail (printf "%s.autoscaling: minReplicas is more than maxReplicas" (include "carillon.key" $component)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
