{{/* Whom processes may reach, as rules of network policies. */}}

{{/* The port of an address, or that of its scheme: "http://collector:4318". */}}
{{- define "carillon.portOf" -}}
{{- $address := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $address.host) | default (ternary "80" "443" (eq $address.scheme "http")) -}}
{{- end -}}

{{- define "carillon.egress.dns" -}}
- ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{- end -}}

{{- define "carillon.egress.nats" -}}
{{- if .Values.trial.enabled -}}
- to: [{podSelector: {matchLabels: {{ include "carillon.selector" (list . "nats") | fromYaml | toJson }}}}]
  ports: [{port: 4222}]
{{- else -}}
- ports: [{port: {{ .Values.nats.port }}}]
  {{- with .Values.nats.peers }}
  to: {{ toJson . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "carillon.egress.database" -}}
{{- if .Values.trial.enabled -}}
- to: [{podSelector: {matchLabels: {{ include "carillon.selector" (list . "postgres") | fromYaml | toJson }}}}]
  ports: [{port: 5432}]
{{- else -}}
- ports: [{port: {{ .Values.database.port }}}]
  {{- with .Values.database.peers }}
  to: {{ toJson . }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* What the settings name beside: an OpenID provider's keys, a bucket, a collector. */}}
{{- define "carillon.egress.others" -}}
{{- $root := index . 0 -}}
{{- $ports := list -}}
{{- if $root.Values.tracing.endpoint -}}
{{- $ports = append $ports (include "carillon.portOf" $root.Values.tracing.endpoint) -}}
{{- end -}}
{{- if and (eq (index . 1) "gateway") $root.Values.identity.jwks.url -}}
{{- $ports = append $ports (include "carillon.portOf" $root.Values.identity.jwks.url) -}}
{{- end -}}
{{- if and (has (index . 1) (list "gateway" "chat")) (contains "://" $root.Values.blobs.store) -}}
{{- $ports = append $ports "443" -}}
{{- end -}}
{{- range $ports | uniq }}
- ports: [{port: {{ . }}}]
{{- end }}
{{- with $root.Values.networkPolicy.extraEgress }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ (list "chat" "auth")): the pods of these, as peers. */}}
{{- define "carillon.peers" -}}
{{- $root := index . 0 -}}
{{- range index . 1 }}
- podSelector:
    matchLabels: {{- include "carillon.selector" (list $root .) | nindent 6 }}
{{- end }}
{{- end -}}
