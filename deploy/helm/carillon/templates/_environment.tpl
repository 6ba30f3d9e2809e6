{{/*
The environment of each process, as a map: a text, or the entry of a Secret ({secret, key}). What is empty is left to the
binaries' defaults.
*/}}

{{/* (list $ "chat" settings): what every process is told. */}}
{{- define "carillon.environment" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $settings := index . 2 -}}
CARILLON_NATS_URL: {secret: {{ include "carillon.natsSecret" $root }}, key: {{ $component }}}
{{- if $root.Values.nats.credentialsSecret }}
CARILLON_NATS_CREDENTIALS: /etc/carillon/nats/{{ $component }}.creds
{{- end }}
{{- if $root.Values.nats.caSecret }}
CARILLON_NATS_CA: /etc/carillon/nats-ca/ca.crt
{{- end }}
{{- if $root.Values.nats.certificateSecret }}
CARILLON_NATS_CERTIFICATE: /etc/carillon/nats-certificate/tls.crt
CARILLON_NATS_KEY: /etc/carillon/nats-certificate/tls.key
{{- end }}
CARILLON_OPS_LISTEN: {{ printf "%s:9000" $root.Values.listenAddress | quote }}
CARILLON_LOG_FORMAT: {{ $settings.logFormat | quote }}
CARILLON_LOG: {{ $settings.log | quote }}
{{- if ne $component "gateway" }}
CARILLON_DATABASE_URL: {secret: {{ include "carillon.databaseSecret" $root }}, key: {{ $component }}}
{{- end }}
{{- with $root.Values.tracing }}
OTEL_EXPORTER_OTLP_ENDPOINT: {{ .endpoint | quote }}
{{- if and .endpoint (not (kindIs "invalid" .ratio)) }}
OTEL_TRACES_SAMPLER: parentbased_traceidratio
OTEL_TRACES_SAMPLER_ARG: {{ .ratio | quote }}
{{- end }}
{{- end }}
{{ include (printf "carillon.environment.%s" $component) $root }}
{{- end -}}

{{- define "carillon.environment.gateway" -}}
{{- $gateway := .Values.gateway -}}
CARILLON_LISTEN: {{ printf "%s:8000" .Values.listenAddress | quote }}
CARILLON_MODE: {{ include "carillon.mode" . }}
ALLOWED_HOSTS: {{ include "carillon.allowedHosts" . | quote }}
CARILLON_DRAIN_SECONDS: {{ $gateway.drainSeconds | quote }}
CARILLON_CORS_ORIGINS: {{ join "," $gateway.corsOrigins | quote }}
CARILLON_TRUSTED_PROXIES: {{ join "," $gateway.trustedProxies | quote }}
CARILLON_FORWARDED_HEADER: {{ $gateway.forwardedHeader | quote }}
CARILLON_PROXY_PROTOCOL: {{ ternary "true" "" $gateway.proxyProtocol | quote }}
CARILLON_ALLOW_ANONYMOUS: {{ join "," $gateway.allowAnonymous | quote }}
CARILLON_CONSOLE: {{ ternary "true" "" $gateway.console | quote }}
CARILLON_DEFAULT_DIALECT: {{ $gateway.defaultDialect | quote }}
CARILLON_COMPRESSION: {{ ternary "true" "" $gateway.compression | quote }}
CARILLON_HEARTBEAT_SECONDS: {{ include "carillon.number" $gateway.heartbeatSeconds }}
MAX_CONNECTIONS_PER_IP: {{ include "carillon.number" $gateway.limits.connectionsPerAddress }}
CARILLON_CONNECTIONS_PER_USER: {{ include "carillon.number" $gateway.limits.connectionsPerUser }}
MAX_RECONNECT_ATTEMPTS: {{ include "carillon.number" $gateway.limits.reconnectionsPerHour }}
MAX_MESSAGES_PER_MINUTE: {{ include "carillon.number" $gateway.limits.messagesPerMinute }}
CARILLON_HANDSHAKES_PER_SECOND: {{ include "carillon.number" $gateway.limits.handshakesPerSecond }}
CARILLON_MAX_CONNECTIONS: {{ include "carillon.number" $gateway.limits.maxConnections }}
CARILLON_SUBSCRIPTIONS_PER_CONNECTION: {{ include "carillon.number" $gateway.limits.subscriptionsPerConnection }}
{{- if $gateway.tls.existingSecret }}
CARILLON_TLS_CERTIFICATE: /etc/carillon/tls/tls.crt
CARILLON_TLS_KEY: /etc/carillon/tls/tls.key
{{- end }}
{{ include "carillon.environment.identity" . }}
{{ include "carillon.environment.blobs" . }}
{{- end -}}

{{- define "carillon.environment.identity" -}}
{{- $jwt := .Values.identity.jwt -}}
{{- if $jwt.existingSecret -}}
CARILLON_JWT_SECRET: {secret: {{ $jwt.existingSecret }}, key: {{ $jwt.secretKey }}}
{{- end }}
CARILLON_JWT_NAME: {{ $jwt.name | quote }}
CARILLON_JWT_USER_CLAIM: {{ $jwt.userClaim | quote }}
CARILLON_JWT_ISSUER: {{ $jwt.issuer | quote }}
CARILLON_JWT_AUDIENCE: {{ $jwt.audience | quote }}
CARILLON_JWT_ROLES: {{ $jwt.roles | quote }}
{{- with .Values.identity.jwks }}
KEYCLOAK_JWKS_URL: {{ .url | quote }}
CARILLON_JWKS_NAME: {{ .name | quote }}
CARILLON_JWKS_USER_CLAIM: {{ .userClaim | quote }}
CARILLON_JWKS_ISSUER: {{ .issuer | quote }}
CARILLON_JWKS_AUDIENCE: {{ .audience | quote }}
CARILLON_JWKS_ROLES: {{ .roles | quote }}
{{- end }}
CARILLON_BARE_IDS: {{ .Values.identity.bareIds | quote }}
CARILLON_TOKEN_LEEWAY_SECONDS: {{ include "carillon.number" .Values.identity.leewaySeconds }}
{{- end -}}

{{- define "carillon.environment.blobs" -}}
{{- $blobs := include "carillon.blobs" . | fromYaml -}}
{{- if $blobs.location -}}
CARILLON_BLOB_STORE: {{ $blobs.location | quote }}
CARILLON_BLOB_SECRET: {secret: {{ include "carillon.blobSecret" . }}, key: {{ .Values.blobs.secretKey }}}
{{- end -}}
{{- end -}}

{{- define "carillon.environment.auth" -}}
{{- if .Values.auth.demo -}}
CARILLON_DEMO: "true"
{{- end }}
{{- with include "carillon.admin" . }}
CARILLON_BOOTSTRAP_ADMIN: {{ . | quote }}
CARILLON_BOOTSTRAP_ADMIN_PASSWORD: {secret: {{ include "carillon.adminSecret" $ }}, key: {{ $.Values.auth.bootstrapAdmin.secretKey }}}
{{- end }}
CARILLON_ACCESS_TOKEN_LIFETIME: {{ .Values.auth.accessTokenLifetime | quote }}
CARILLON_REFRESH_TOKEN_LIFETIME: {{ .Values.auth.refreshTokenLifetime | quote }}
CARILLON_BARE_IDS: {{ include "carillon.bareIds" . | quote }}
{{- end -}}

{{- define "carillon.environment.notification" -}}
CARILLON_NOTIFICATION_LOG_AGE: {{ .Values.notification.logAge | quote }}
CARILLON_NOTIFICATION_INBOX_AGE: {{ .Values.notification.inboxAge | quote }}
{{- end -}}

{{- define "carillon.environment.chat" -}}
CARILLON_CHAT_LOG_AGE: {{ .Values.chat.logAge | quote }}
CARILLON_ROOM_ACCESS: {{ join ";" .Values.chat.roomAccess | quote }}
CARILLON_ATTACHMENT_BYTES: {{ include "carillon.number" .Values.chat.attachmentBytes }}
{{ include "carillon.environment.blobs" . }}
{{- end -}}

{{- define "carillon.environment.ticket-presence" -}}
CARILLON_PROJECTS_LOG_AGE: {{ .Values.ticketPresence.logAge | quote }}
{{- end -}}

{{- define "carillon.environment.metrics" -}}
{{- end -}}

{{/* A value as a text: large numbers are floating to Helm, and would get an exponent. */}}
{{- define "carillon.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) -}}{{ int64 . }}{{- else -}}{{ . }}{{- end -}}
{{- end -}}

{{/* A number as a text, or an empty one. */}}
{{- define "carillon.number" -}}
{{- if kindIs "invalid" . -}}""{{- else -}}{{ int64 . | quote }}{{- end -}}
{{- end -}}

{{/* Hosts by which clients come, and by which `helm test` and others in the cluster do. */}}
{{- define "carillon.allowedHosts" -}}
{{- $service := include "carillon.name" (list . "gateway") -}}
{{- $hosts := list -}}
{{- if .Values.ingress.enabled -}}{{- $hosts = .Values.ingress.hosts -}}{{- end -}}
{{- $hosts = concat .Values.gateway.allowedHosts $hosts -}}
{{- if .Values.trial.enabled -}}{{- $hosts = concat $hosts (list "localhost" ".localhost" "127.0.0.1" "[::1]") -}}{{- end -}}
{{- join "," (concat $hosts (list $service (printf "%s.%s.svc" $service .Release.Namespace) (printf "%s.%s.svc.cluster.local" $service .Release.Namespace)) | uniq) -}}
{{- end -}}

{{/* Whose ids are bare, as gateways find out for themselves: auth has to be told the same. */}}
{{- define "carillon.bareIds" -}}
{{- with .Values.identity -}}
{{- if .bareIds -}}
{{- .bareIds -}}
{{- else if .jwks.url -}}
{{- .jwks.name | default "keycloak" -}}
{{- else if .jwt.existingSecret -}}
{{- .jwt.name | default "django" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* (list $ "chat" settings): the list of a container's variables. What the settings name wins. */}}
{{- define "carillon.env" -}}
{{- $settings := index . 2 -}}
{{- $environment := include "carillon.environment" . | fromYaml -}}
{{- if $environment.Error }}{{ fail $environment.Error }}{{ end -}}
{{- $environment = include "carillon.merge" (list $environment $settings.env) | fromYaml -}}
{{- range $name, $value := $environment }}
{{- if kindIs "map" $value }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $value.secret }}, key: {{ $value.key }}}}
{{- else if ne (toString $value) "" }}
- name: {{ $name }}
  value: {{ include "carillon.text" $value | quote }}
{{- end }}
{{- end }}
{{- with $settings.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* (list $ "chat" settings): whole objects whose entries are variables. */}}
{{- define "carillon.envFrom" -}}
{{- $blobs := (index . 0).Values.blobs -}}
{{- if and $blobs.credentialsSecret (has (index . 1) (list "gateway" "chat")) }}
- secretRef: {name: {{ $blobs.credentialsSecret }}}
{{- end }}
{{- with (index . 2).envFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}
