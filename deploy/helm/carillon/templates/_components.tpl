{{/* The services, and their settings: what holds for all of them, and their own. */}}

{{/* (list base over): both, where `over` wins, also by what is false or empty; null leaves what there is. */}}
{{- define "carillon.merge" -}}
{{- $merged := deepCopy (index . 0) -}}
{{- range $key, $value := index . 1 -}}
{{- $there := get $merged $key -}}
{{- if and (kindIs "map" $value) (kindIs "map" $there) -}}
{{- $_ := set $merged $key (include "carillon.merge" (list $there $value) | fromYaml) -}}
{{- else if not (kindIs "invalid" $value) -}}
{{- $_ := set $merged $key $value -}}
{{- end -}}
{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* "ticket-presence": its name among the values. */}}
{{- define "carillon.key" -}}
{{- camelcase . | untitle -}}
{{- end -}}

{{/* (list $ "chat"): its settings. */}}
{{- define "carillon.settings" -}}
{{- $root := index . 0 -}}
{{- $settings := $root.Values.defaults -}}
{{- $own := get $root.Values (include "carillon.key" (index . 1)) -}}
{{- if $root.Values.trial.enabled -}}
{{- $settings = include "carillon.merge" (list $settings $root.Values.trial.defaults) | fromYaml -}}
{{- end -}}
{{- include "carillon.merge" (list $settings $own) -}}
{{- end -}}

{{/* The names of those that are enabled, as a list. */}}
{{- define "carillon.components" -}}
{{- $enabled := list -}}
{{- range $name := list "gateway" "auth" "notification" "chat" "ticket-presence" "metrics" -}}
{{- if (get $.Values (include "carillon.key" $name)).enabled -}}
{{- $enabled = append $enabled $name -}}
{{- end -}}
{{- end -}}
{{- toYaml $enabled -}}
{{- end -}}

{{/* production or development. */}}
{{- define "carillon.mode" -}}
{{- .Values.gateway.mode | default (ternary "development" "production" .Values.trial.enabled) -}}
{{- end -}}

{{/* The seconds that a gateway may take to stop: until balancers know, its drain, the last goodbyes (7), and some to spare. */}}
{{- define "carillon.gracePeriod" -}}
{{- add .Values.gateway.preStopSeconds .Values.gateway.drainSeconds 15 -}}
{{- end -}}

{{/* auto, true or false, and what the cluster has: (list $ setting "monitoring.coreos.com/v1"). Something or nothing. */}}
{{- define "carillon.wanted" -}}
{{- if eq (toString (index . 1)) "auto" -}}
{{- if (index . 0).Capabilities.APIVersions.Has (index . 2) -}}true{{- end -}}
{{- else if eq (toString (index . 1)) "true" -}}
true
{{- end -}}
{{- end -}}
