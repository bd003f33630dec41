//! What one could get wrong in the configuration files, to see the checks fail: `COUNTERFOIL_GATEWAYS_FAULT=NAME`.

use std::env;

use anyhow::{Context, bail};

/// Names the fault.
const VARIABLE: &str = "COUNTERFOIL_GATEWAYS_FAULT";

/// A place in one of the files, and what stands there instead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// Below `examples/gateways`.
    pub(super) file: &'static str,
    from: &'static str,
    to: &'static str,
}

const fn fault(name: &'static str, file: &'static str, from: &'static str, to: &'static str) -> Fault {
    Fault { name, file, from, to }
}

const NGINX: &str = "nginx.conf";
const HAPROXY: &str = "haproxy.cfg";
const LUA: &str = "counterfoil.lua";
const CADDY: &str = "Caddyfile";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    fault("nginx-names-not-overwritten", NGINX, "        proxy_set_header X-Auth-Subject $auth_subject;\n", ""),
    fault("nginx-token-not-stripped", NGINX, "        proxy_set_header Counterfoil-Access-Token \"\";\n", ""),
    fault("nginx-names-of-any-kind", NGINX, "ignore_invalid_headers on", "ignore_invalid_headers off"),
    fault("nginx-underscores", NGINX, "underscores_in_headers off", "underscores_in_headers on"),
    fault("nginx-header-of-its-own", NGINX, "            auth_request off;\n            proxy_pass http://service;", "            auth_request off;\n            proxy_set_header X-Place public;\n            proxy_pass http://service;"),
    fault("nginx-two-readings", NGINX, "if ($path_has_two_readings) {", "set $never \"\";\n        if ($never) {"),
    fault("nginx-method-not-told", NGINX, "            proxy_set_header X-Forwarded-Method $request_method;\n            proxy_set_header X-Original-Method $request_method;\n", ""),
    fault("nginx-one-method-told", NGINX, "            proxy_set_header X-Original-Method $request_method;\n", ""),
    fault("nginx-cookie-not-told", NGINX, "            proxy_set_header Connection \"\";\n            # Who", "            proxy_set_header Connection \"\";\n            proxy_set_header Cookie \"\";\n            # Who"),
    fault("nginx-no-challenge", NGINX, "            add_header WWW-Authenticate $auth_challenge always;\n", ""),
    fault("nginx-own-bodies", NGINX, "        error_page 401 = @signed_out;\n", ""),
    fault("nginx-scope-not-asked", NGINX, "            auth_request /_auth/articles-write;\n", ""),
    fault("nginx-cookie-not-passed-on", NGINX, "        add_header Set-Cookie $auth_cookie always;\n", ""),
    fault("nginx-cookie-lost-with-errors", NGINX, "add_header Set-Cookie $auth_cookie always", "add_header Set-Cookie $auth_cookie"),
    fault("nginx-cookie-of-the-service-lost", NGINX, "        add_header Set-Cookie $auth_cookie always;\n", "        add_header Set-Cookie $auth_cookie always;\n        proxy_hide_header Set-Cookie;\n"),
    fault("nginx-no-store-forgotten", NGINX, "        add_header Cache-Control $auth_cache_control always;\n", ""),
    fault("nginx-500-when-down", NGINX, "        error_page 500 = @cannot_ask;\n", ""),
    fault("nginx-401-when-down", NGINX, "error_page 500 = @cannot_ask", "error_page 500 = @signed_out"),
    fault("nginx-open-when-down", NGINX, "            return 503 '", "            proxy_pass http://service;\n            # '"),
    fault("nginx-waits-for-ever", NGINX, "proxy_read_timeout 2s", "proxy_read_timeout 60s"),
    fault("nginx-no-connections-kept", NGINX, "            proxy_set_header Connection \"\";\n", "            proxy_set_header Connection close;\n"),
    fault("nginx-question-open", NGINX, "            return 404;\n", "            auth_request off;\n            proxy_pass http://counterfoil;\n"),
    fault("haproxy-names-not-stripped", HAPROXY, "    http-request del-header x-auth -m beg\n", ""),
    fault("haproxy-token-not-stripped", HAPROXY, "    http-request del-header counterfoil-access-token\n", ""),
    fault("haproxy-underscores", HAPROXY, "    http-request del-header '[^a-z0-9-]' -m reg\n", ""),
    fault("haproxy-two-readings", HAPROXY, "    http-request deny deny_status 400 if { path", "    http-request deny deny_status 400 if FALSE { path"),
    fault("haproxy-path-not-decoded", HAPROXY, "path,url_dec", "path"),
    fault("haproxy-scope-not-asked", HAPROXY, "lua.counterfoil scope=articles:write if", "lua.counterfoil - if"),
    fault("haproxy-cookie-not-passed-on", HAPROXY, "    http-after-response add-header Set-Cookie", "    http-after-response add-header X-Lost"),
    fault("haproxy-cookie-lost-with-errors", HAPROXY, "if { var(txn.auth_cookie) -m found }\n", "if { var(txn.auth_cookie) -m found } { status lt 400 }\n"),
    fault("haproxy-cookie-of-the-service-lost", HAPROXY, "http-after-response add-header Set-Cookie", "http-after-response set-header Set-Cookie"),
    fault("haproxy-no-store-forgotten", HAPROXY, "http-after-response set-header Cache-Control", "http-after-response set-header X-Lost"),
    fault("haproxy-open-when-down", HAPROXY, "unless is_public or is_counterfoil or { var(txn.auth_verdict) -m str signed-in }", "if FALSE"),
    fault("haproxy-no-retry-after", HAPROXY, " hdr Retry-After 1", ""),
    fault("haproxy-401-when-down", HAPROXY, "http-request return status 503", "http-request return status 401"),
    fault("haproxy-no-connections-kept", HAPROXY, "    http-reuse always\n", "    option http-server-close\n"),
    fault("haproxy-question-open", HAPROXY, "    http-request return status 404 if", "    http-request return status 404 if FALSE"),
    fault("haproxy-script-broken", LUA, "    local answer = ask(txn, demand)\n", "    local answer = ask(txn, demand).nothing.here\n"),
    fault("haproxy-method-not-told", LUA, "        [\"x-forwarded-method\"] = { txn.f:method() },\n", ""),
    fault("haproxy-cookie-not-told", LUA, "\"cookie\", \"origin\"", "\"origin\""),
    fault("haproxy-origin-not-told", LUA, "\"origin\", ", ""),
    fault("haproxy-one-credential-told", LUA, "        asked[name] = values(sent, name)\n", "        asked[name] = { values(sent, name)[1] }\n"),
    fault("haproxy-no-challenge", LUA, "\"www-authenticate\", ", ""),
    fault("haproxy-refusal-ignored", LUA, "        refuse(txn, answer)\n", "        txn:set_var(\"txn.auth_verdict\", \"signed-in\")\n"),
    fault("haproxy-waits-for-ever", HAPROXY, "timeout server 2s", "timeout server 60s"),
    fault("caddy-names-not-stripped", CADDY, "\t\trequest_header -X-Auth*\n", ""),
    fault("caddy-underscores", CADDY, "\t\trequest_header -X_Auth*\n", ""),
    fault("caddy-exclamation-marks", CADDY, "\t\trequest_header -X!Auth*\n", ""),
    fault("caddy-token-not-stripped", CADDY, "\t\trequest_header -Counterfoil*\n", ""),
    fault("caddy-connection-believed", CADDY, "\t\trespond @names_headers 400\n", ""),
    fault("caddy-two-readings", CADDY, "\t\trespond @two_readings 400\n", ""),
    fault("caddy-capital-letters", CADDY, "@public path_regexp ^/public/", "@public path /public/*"),
    fault("caddy-query-asked", CADDY, "rewrite /v1/forward-auth?{args.0}", "rewrite /v1/forward-auth{args.0}"),
    fault("caddy-method-not-told", CADDY, "\t\theader_up X-Forwarded-Method {method}\n\t\theader_up X-Original-Method {method}\n", ""),
    fault("caddy-one-method-told", CADDY, "\t\theader_up X-Original-Method {method}\n", ""),
    fault("caddy-body-sent", CADDY, "\t\tmethod GET\n", ""),
    fault("caddy-placeholder-written", CADDY, "\t\t\theader @cookie +Set-Cookie", "\t\t\theader +Set-Cookie"),
    fault("caddy-cookie-not-passed-on", CADDY, "\t\t\theader @cookie +Set-Cookie {rp.header.Set-Cookie}\n", ""),
    fault("caddy-no-store-forgotten", CADDY, "\t\t\theader @cookie +Cache-Control no-store\n", ""),
    fault("caddy-scope-not-asked", CADDY, "import ask scope=articles:write", "import ask \"\""),
    fault("caddy-502-when-down", CADDY, "in [502, 504]", "in [599]"),
    fault("caddy-open-when-down", CADDY, "\t\trespond @not_reached `", "\t\treverse_proxy @not_reached 127.0.0.1:9000\n\t\t# `"),
    fault("caddy-waits-for-ever", CADDY, "response_header_timeout 2s", "response_header_timeout 60s"),
    fault("caddy-question-open", CADDY, "\t\trespond /v1/forward-auth 404\n", ""),
];

impl Fault {
    /// The one that was asked for, if any was.
    pub(super) fn wanted() -> anyhow::Result<Option<Self>> {
        let Some(name) = env::var_os(VARIABLE) else { return Ok(None) };
        let found = FAULTS.iter().find(|fault| name == fault.name).copied();
        match found {
            Some(fault) => Ok(Some(fault)),
            None => {
                bail!("{VARIABLE}: there are {}", FAULTS.iter().map(|fault| fault.name).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// The file's text with the fault, if it is the fault's file.
    pub(super) fn put_into(self, file: &str, text: &str) -> anyhow::Result<String> {
        if file != self.file {
            return Ok(text.to_owned());
        }
        let (before, after) =
            text.split_once(self.from).with_context(|| format!("{file}: no place for {}", self.name))?;
        Ok(format!("{before}{}{after}", self.to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_its_place() {
        for fault in FAULTS {
            let text = match fault.file {
                NGINX => include_str!("../../../examples/gateways/nginx.conf"),
                HAPROXY => include_str!("../../../examples/gateways/haproxy.cfg"),
                CADDY => include_str!("../../../examples/gateways/Caddyfile"),
                _ => include_str!("../../../examples/gateways/counterfoil.lua"),
            };
            assert_ne!(fault.put_into(fault.file, text).unwrap(), text, "{}", fault.name);
            assert_eq!(fault.put_into("another", text).unwrap(), text);
        }
    }
}
