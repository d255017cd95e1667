{{- define "tailrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters, so that the longest suffix and a pod's ordinal stay within 63. */}}
{{- define "tailrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := include "tailrace.name" . -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "tailrace.worker" -}}{{ include "tailrace.fullname" . }}-worker{{- end -}}
{{- define "tailrace.headless" -}}{{ include "tailrace.worker" . }}-headless{{- end -}}
{{- define "tailrace.gateway" -}}{{ include "tailrace.fullname" . }}-gateway{{- end -}}
{{- define "tailrace.batch" -}}{{ include "tailrace.fullname" . }}-batch{{- end -}}
{{- define "tailrace.headlessDomain" -}}
{{ include "tailrace.headless" . }}.{{ .Release.Namespace }}.svc.{{ .Values.clusterDomain }}
{{- end -}}

{{- define "tailrace.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tailrace.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tailrace.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "tailrace.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: tailrace
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Without the chart's version, so that a new chart alone restarts no pod. */}}
{{- define "tailrace.podLabels" -}}
{{ include "tailrace.selectorLabels" . }}
app.kubernetes.io/part-of: tailrace
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "tailrace.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tailrace.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tailrace.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- with $registry }}{{ . }}/{{ end -}}
{{- .Values.image.repository -}}
{{- if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ default .Chart.AppVersion .Values.image.tag }}{{ end -}}
{{- end -}}

{{/* The restricted Pod Security Standard; uid and gid are those of the image. */}}
{{- define "tailrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}
{{- define "tailrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "tailrace.spread" -}}
{{- $labels := include "tailrace.selectorLabels" .root }}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: {{ $.spread.maxSkew }}
  topologyKey: {{ $key }}
  whenUnsatisfiable: {{ $.spread.whenUnsatisfiable }}
  labelSelector:
    matchLabels:
      {{- $labels | nindent 6 }}
      app.kubernetes.io/component: {{ $.component }}
{{- end }}
{{- end -}}

{{/* A Kubernetes quantity of bytes ("2Gi", "500M", 1073741824) as a number. */}}
{{- define "tailrace.bytes" -}}
{{- $text := toString . -}}
{{- if kindIs "float64" . -}}{{- $text = . | int64 | toString -}}{{- end -}}
{{- $number := regexFind "^[0-9.]+" $text -}}
{{- $unit := trimPrefix $number $text -}}
{{- $factors := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- if not (hasKey $factors $unit) -}}{{- fail (printf "worker.resources.limits.memory: %s is not a number of bytes such as 2Gi" $text) -}}{{- end -}}
{{- mulf (float64 $number) (float64 (get $factors $unit)) | int64 -}}
{{- end -}}

{{/* The worker's configuration: what the chart derives, then worker.config over it. */}}
{{- define "tailrace.workerConfig" -}}
{{- $worker := .Values.worker -}}
{{- $config := dict
  "bootstrap.servers" .Values.kafka.bootstrapServers
  "processing.guarantee" $worker.processingGuarantee
  "num.stream.threads" (int $worker.streamThreads)
  "session.timeout.ms" (mul (int $worker.restartSeconds) 1000)
  "state.dir" "/var/lib/tailrace"
  "grpc.listen" (printf "0.0.0.0:%d" (int $worker.ports.grpc))
  "metrics.listen" (printf "0.0.0.0:%d" (int $worker.ports.metrics))
  "log.format" "json"
-}}
{{- with .Values.applicationId }}{{- $_ := set $config "application.id" . }}{{- end }}
{{- with dig "limits" "memory" "" $worker.resources }}
{{- $bytes := div (mul (include "tailrace.bytes" . | int64) (int64 $worker.stateMemoryPercent)) 100 }}
{{- $_ := set $config "state.memory.bytes" $bytes }}
{{- end }}
{{- $protocol := .Values.kafka.securityProtocol }}
{{- if ne $protocol "PLAINTEXT" }}{{- $_ := set $config "security.protocol" $protocol }}{{- end }}
{{- if hasPrefix "SASL_" $protocol }}{{- $_ := set $config "sasl.mechanisms" .Values.kafka.sasl.mechanism }}{{- end }}
{{- with .Values.kafka.tls }}
{{- if .existingSecret }}
{{- $_ := set $config "ssl.ca.location" (printf "/etc/tailrace/tls/%s" .caKey) }}
{{- with .certKey }}{{- $_ := set $config "ssl.certificate.location" (printf "/etc/tailrace/tls/%s" .) }}{{- end }}
{{- with .keyKey }}{{- $_ := set $config "ssl.key.location" (printf "/etc/tailrace/tls/%s" .) }}{{- end }}
{{- end }}
{{- end }}
{{- if .Values.tls.enabled }}{{- $_ := merge $config (include "tailrace.grpcTls" . | fromYaml) }}{{- end }}
{{- mergeOverwrite $config (deepCopy $worker.config) | toYaml }}
{{- end -}}

{{- define "tailrace.gatewayConfig" -}}
{{- $config := dict "log.format" "json" -}}
{{- if .Values.tls.enabled }}
{{- $_ := merge $config (include "tailrace.grpcTls" . | fromYaml) }}
{{- $_ := set $config "gateway.ssl.certificate.location" (printf "/etc/tailrace/own-tls/%s" .Values.tls.certKey) }}
{{- $_ := set $config "gateway.ssl.key.location" (printf "/etc/tailrace/own-tls/%s" .Values.tls.keyKey) }}
{{- end }}
{{- mergeOverwrite $config (deepCopy .Values.gateway.config) | toYaml }}
{{- end -}}

{{/* Keys of the query service and of its clients, with the secret mounted as own-tls. */}}
{{- define "tailrace.grpcTls" -}}
grpc.ssl.ca.location: /etc/tailrace/own-tls/{{ .Values.tls.caKey }}
grpc.ssl.certificate.location: /etc/tailrace/own-tls/{{ .Values.tls.certKey }}
grpc.ssl.key.location: /etc/tailrace/own-tls/{{ .Values.tls.keyKey }}
{{- end -}}
{{- define "tailrace.tlsMount" -}}
- name: own-tls
  mountPath: /etc/tailrace/own-tls
  readOnly: true
{{- end -}}
{{- define "tailrace.tlsVolume" -}}
- name: own-tls
  secret:
    secretName: {{ .Values.tls.existingSecret }}
{{- end -}}

{{/* Addresses of up to three workers that always exist; the gateway learns the others from the routing table. */}}
{{- define "tailrace.workerAddresses" -}}
{{- $replicas := int .Values.worker.replicas -}}
{{- if .Values.worker.autoscaling.enabled -}}{{- $replicas = int .Values.worker.autoscaling.minReplicas -}}{{- end -}}
{{- $addresses := list -}}
{{- range $i := until (min $replicas 3 | int) -}}
{{- $addresses = append $addresses (printf "%s-%d.%s:%d" (include "tailrace.worker" $) $i (include "tailrace.headlessDomain" $) (int $.Values.worker.ports.grpc)) -}}
{{- end -}}
{{- join "," $addresses -}}
{{- end -}}

{{/* networkPolicy.brokerPorts and those of the bootstrap servers, each once. */}}
{{- define "tailrace.brokerPorts" -}}
{{- $ports := list -}}
{{- range .Values.networkPolicy.brokerPorts }}{{- $ports = append $ports (int .) }}{{- end -}}
{{- range splitList "," .Values.kafka.bootstrapServers }}{{- $ports = append $ports (splitList ":" . | last | trim | int) }}{{- end -}}
{{- $ports | uniq | toYaml -}}
{{- end -}}

{{- define "tailrace.pipeline" -}}
{{- .Values.pipeline | default (.Files.Get "files/pipelines/city-metrics.yaml") | trim -}}
{{- end -}}

{{/* application.id of the first pipeline, as the worker finds it; empty when nothing names it. */}}
{{- define "tailrace.applicationId" -}}
{{- $configured := include "tailrace.workerConfig" . | fromYaml -}}
{{- get $configured "application.id" | default (get (include "tailrace.pipeline" . | fromYaml) "application.id") -}}
{{- end -}}

{{/* Mistakes that a schema cannot see. */}}
{{- define "tailrace.check" -}}
{{- if and (hasPrefix "SASL_" .Values.kafka.securityProtocol) (not .Values.kafka.sasl.existingSecret) -}}
{{- fail "kafka.sasl.existingSecret is required when kafka.securityProtocol is a SASL one" -}}
{{- end -}}
{{- if and .Values.tls.enabled (not .Values.tls.existingSecret) -}}
{{- fail "tls.existingSecret is required when tls.enabled" -}}
{{- end -}}
{{- with .Values.worker.autoscaling -}}
{{- if .enabled -}}
{{- if not .topics -}}{{- fail "worker.autoscaling.topics is required when worker.autoscaling.enabled" -}}{{- end -}}
{{- if not (include "tailrace.applicationId" $) -}}{{- fail "applicationId is required when worker.autoscaling.enabled and the pipeline names none: lag is that of the consumer group" -}}{{- end -}}
{{- if lt (int .maxReplicas) (int .minReplicas) -}}{{- fail "worker.autoscaling.maxReplicas is less than minReplicas" -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.extraPipelines (or .Values.applicationId (hasKey .Values.worker.config "application.id")) -}}
{{- fail "applicationId must be empty with extraPipelines: each pipeline is an application of its own and names itself" -}}
{{- end -}}
{{- if ge (int .Values.gateway.preStopSeconds) (int .Values.gateway.terminationGracePeriodSeconds) -}}
{{- fail "gateway.preStopSeconds must be less than gateway.terminationGracePeriodSeconds, of which it is a part" -}}
{{- end -}}
{{- range $name, $text := .Values.extraPipelines -}}
{{- if has $name (list "worker" "pipeline") -}}{{- fail (printf "extraPipelines: the name %s is taken; choose another" $name) -}}{{- end -}}
{{- end -}}
{{- if and .Values.gateway.ingress.enabled (not .Values.gateway.ingress.host) -}}
{{- fail "gateway.ingress.host is required when gateway.ingress.enabled" -}}
{{- end -}}
{{- if and .Values.batch.enabled (not .Values.batch.inputs) -}}
{{- fail "batch.inputs is required when batch.enabled" -}}
{{- end -}}
{{- range list "state.dir" "grpc.listen" "metrics.listen" "group.instance.id" "application.server" -}}
{{- if hasKey $.Values.worker.config . -}}{{- fail (printf "worker.config: %s is set by the chart" .) -}}{{- end -}}
{{- end -}}
{{- end -}}
