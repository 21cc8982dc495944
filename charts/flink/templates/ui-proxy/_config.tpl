{{/* What both programs are told, as YAML: files of a ConfigMap. */}}
{{- define "flink.uiProxy.data" -}}
{{- $addresses := list -}}
{{- range .Values.auth.oidc.allowedEmails -}}
{{- if contains "@" (trimPrefix "@" .) }}{{ $addresses = append $addresses . }}{{ end -}}
{{- end -}}
nginx.conf: |
  {{- include "flink.uiProxy.config" . | nindent 2 }}
{{- if and (eq .Values.auth.type "oidc") $addresses }}
emails: |
  {{- join "\n" $addresses | nindent 2 }}
{{- end }}
{{- end }}

{{/* What nginx lets through: it compares decoded paths, and passes them on as they came. */}}
{{- define "flink.uiProxy.config" -}}
{{- $auth := .Values.auth -}}
{{- $oidc := eq $auth.type "oidc" -}}
daemon off;
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
  # Without arguments of a URL, which hold what a login hands over.
  {{- $who := get (dict "basic" "$remote_user" "oidc" "$login") $auth.type | default "-" }}
  log_format person '$remote_addr {{ $who }} [$time_iso8601] "$request_method $uri" $status';
  access_log /dev/stdout person;
  server_tokens off;
  client_body_temp_path /tmp/body;
  proxy_temp_path /tmp/proxy;
  fastcgi_temp_path /tmp/fastcgi;
  uwsgi_temp_path /tmp/uwsgi;
  scgi_temp_path /tmp/scgi;
  {{- if $oidc }}
  large_client_header_buffers 8 32k;
  map $http_accept $browser {
    ~text/html 1;
  }
  {{- end }}
  {{- if ne $auth.type "none" }}
  # A browser sends what it is logged in with along for pages of other sites too, and says so. They may link to the
  # UI, and a provider sends back whoever has logged in. Flink does things by GET too.
  map "$http_sec_fetch_site:$request_method:$request_uri" $foreign {
    "~^(cross|same)-site:(GET|HEAD):/{{ if $oidc }}(oauth2/(start|callback))?{{ end }}([?].*)?$" "";
    "~^(cross|same)-site:" 1;
  }
  {{- end }}
  server {
    listen 8080;
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_max_temp_file_size 0;
    proxy_read_timeout 300s;
    # Neither Flink nor the code of its jobs learns who is there.
    proxy_set_header Authorization "";
    proxy_set_header Cookie "";
    proxy_set_header Connection "";
    proxy_set_header Accept-Encoding "";
    {{- if .Values.rest.readOnly }}
    if ($request_method !~ ^(GET|HEAD)$) {
      return 405;
    }
    # Paths that are another one to Flink than to nginx: Flink decodes twice, and knows no dots that lead upwards.
    if ($request_uri ~* "^[^?]*(%(23|25|3f)|(/|%2f)(\.|%2e)(\.|%2e)?(/|%2f|[?#]|$))") {
      return 403;
    }
    {{- end }}
    {{- if ne $auth.type "none" }}
    if ($foreign) {
      return 403;
    }
    {{- end }}
    {{- if eq $auth.type "basic" }}
    auth_basic "Flink";
    auth_basic_user_file /etc/ui-proxy-login/auth;
    {{- end }}
    {{- if $oidc }}
    # A session may take several cookies.
    proxy_buffer_size 32k;
    proxy_buffers 8 32k;
    auth_request /oauth2/auth;
    auth_request_set $login $upstream_http_x_auth_request_email;
    auth_request_set $renewed $upstream_http_set_cookie;
    add_header Set-Cookie $renewed;
    error_page 401 = @login;
    {{- end }}
    {{- with .Values.tls.rest }}
    {{- if .enabled }}
    proxy_ssl_verify on;
    proxy_ssl_verify_depth 10;
    proxy_ssl_trusted_certificate /opt/flink/tls/rest/ca.crt;
    proxy_ssl_name {{ include "flink.rest.name" $ }};
    proxy_ssl_server_name on;
    {{- if .clientCertificates }}
    proxy_ssl_certificate /opt/flink/tls/rest/tls.crt;
    proxy_ssl_certificate_key /opt/flink/tls/rest/tls.key;
    {{- end }}
    {{- end }}
    {{- end }}
    location / {
      proxy_pass {{ include "flink.rest.url" . }};
    }
    {{- if .Values.rest.readOnly }}
    # What changes something by GET: these two cancel a job, and a plan runs the main method of a jar.
    location ~ /(yarn-cancel|yarn-stop|jars)(/|$) {
      return 403;
    }
    # By it the UI knows which buttons to show.
    location = /config {
      proxy_pass {{ include "flink.rest.url" . }};
      sub_filter_types application/json;
      sub_filter_once off;
      sub_filter '"web-submit":true' '"web-submit":false';
      sub_filter '"web-cancel":true' '"web-cancel":false';
      sub_filter '"web-rescale":true' '"web-rescale":false';
    }
    {{- end }}
    location = /healthz {
      access_log off;
      {{- if $oidc }}
      auth_request off;
      proxy_pass http://127.0.0.1:4180/ping;
      {{- else }}
      return 200;
      {{- end }}
    }
    {{- if $oidc }}
    {{- $url := trimSuffix "/" $auth.oidc.publicUrl }}
    {{- $path := get (urlParse $url) "path" }}
    location /oauth2/ {
      auth_request off;
      proxy_pass http://127.0.0.1:4180{{ $path }}/oauth2/;
      proxy_set_header Host $host;
      proxy_set_header X-Auth-Request-Redirect {{ $path }}/;
    }
    location = /oauth2/auth {
      internal;
      auth_request off;
      proxy_pass http://127.0.0.1:4180{{ $path }}/oauth2/auth;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
    }
    location @login {
      auth_request off;
      if ($browser = "") {
        return 401;
      }
      return 302 {{ $url }}/oauth2/start?rd={{ $path }}/;
    }
    {{- end }}
  }
}
{{- end }}

{{/* The arguments of oauth2-proxy, as YAML: nginx asks it about each request, and it asks the provider. */}}
{{- define "flink.uiProxy.oidc" -}}
{{- $oidc := .Values.auth.oidc -}}
{{- $url := trimSuffix "/" $oidc.publicUrl -}}
{{- $path := get (urlParse $url) "path" -}}
{{- $args := list
      "--http-address=127.0.0.1:4180"
      "--upstream=static://202"
      "--provider=oidc"
      (printf "--oidc-issuer-url=%s" $oidc.issuer)
      (printf "--redirect-url=%s/oauth2/callback" $url)
      (printf "--proxy-prefix=%s/oauth2" $path)
      (printf "--client-id=%s" $oidc.clientId)
      "--client-secret-file" "/etc/ui-proxy-login/client-secret"
      "--cookie-secret-file" "/etc/ui-proxy-login/cookie-secret"
      (printf "--cookie-name=_%s" (include "flink.fullname" .))
      (printf "--cookie-path=%s" ($path | default "/"))
      (printf "--cookie-secure=%v" (hasPrefix "https:" $url))
      "--cookie-samesite=lax"
      "--code-challenge-method=S256"
      "--set-xauthrequest"
      "--skip-provider-button"
      "--request-logging=false" -}}
{{- range $oidc.allowedGroups -}}
{{- /* One field of a list with commas. */ -}}
{{- $field := ternary (printf "\"%s\"" (replace "\"" "\"\"" .)) . (regexMatch "[,\"\r\n]" .) -}}
{{- $args = append $args (printf "--allowed-group=%s" $field) -}}
{{- end -}}
{{- range $oidc.allowedEmails | default (list "*") -}}
{{- $domain := trimPrefix "@" . -}}
{{- $arg := ternary "--authenticated-emails-file=/etc/ui-proxy/emails" (printf "--email-domain=%s" $domain)
      (contains "@" $domain) -}}
{{- $args = append $args $arg -}}
{{- end -}}
{{- if $oidc.bearerTokens }}{{ $args = append $args "--skip-jwt-bearer-tokens" }}{{ end -}}
{{- if $oidc.caConfigMap }}{{ $args = append $args "--provider-ca-file=/etc/ui-proxy-ca/ca.crt" }}{{ end -}}
{{- /* Kubernetes puts variables into arguments: only those of the user's own. */ -}}
{{- $plain := list -}}
{{- range uniq $args }}{{ $plain = append $plain (replace "$" "$$" .) }}{{ end -}}
{{- concat $plain $oidc.args | toYaml -}}
{{- end }}
