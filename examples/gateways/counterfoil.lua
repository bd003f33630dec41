-- Asks Counterfoil's /v1/forward-auth about a request, for HAProxy 2.5 and later (haproxy.cfg beside this file).
--
--   setenv COUNTERFOIL_FORWARD_AUTH http://127.0.0.1:8001/v1/forward-auth
--   lua-load-per-thread counterfoil.lua
--   http-request lua.counterfoil scope=articles:write
--
-- A good answer puts X-Auth-… into the request and `signed-in` into txn.auth_verdict; a renewed cookie or token goes into
-- txn.auth_cookie and txn.auth_token. A refusal is passed on to the client. Anything else does nothing at all: the
-- configuration must let nobody through without the verdict, because HAProxy goes on after a script that fails.

local QUESTION_URL = assert(os.getenv("COUNTERFOIL_FORWARD_AUTH"), "COUNTERFOIL_FORWARD_AUTH says whom to ask")

-- Only in case that nobody else gives up before: `listen question` in haproxy.cfg does.
local ANSWER_TIMEOUT_MS = 5000

-- What is passed on of the client's headers, as often as it was sent: which of two credentials counts is not for a gateway
-- to decide. Not the body, nor anything that describes it.
local ASKED_WITH = { "authorization", "cookie", "origin", "sec-fetch-site", "user-agent" }

local IDENTITY = { "x-auth-subject", "x-auth-session", "x-auth-scope", "x-auth-email", "x-auth-email-verified" }

-- What a refusal says besides its body.
local REFUSED_WITH = { "content-type", "www-authenticate", "clear-site-data", "cache-control" }

-- The values of a header; HAProxy counts some lists from 0 and others from 1.
local function values(headers, name)
    local list = {}
    local from = headers[name]
    if from then
        for index = 0, #from do
            list[#list + 1] = from[index]
        end
    end
    return list
end

local function ask(txn, demand)
    local sent = txn.http:req_get_headers()
    local asked = {
        ["x-forwarded-method"] = { txn.f:method() },
        ["x-forwarded-uri"] = { txn.f:pathq() },
        ["x-forwarded-host"] = values(sent, "host"),
        ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
        ["x-forwarded-for"] = { txn.f:src() },
    }
    for _, name in ipairs(ASKED_WITH) do
        asked[name] = values(sent, name)
    end
    local url = QUESTION_URL
    if demand ~= "-" then
        url = url .. "?" .. demand
    end
    return core.httpclient():get{ url = url, headers = asked, timeout = ANSWER_TIMEOUT_MS }
end

local function refuse(txn, answer)
    local reply = txn:reply{ status = answer.status, body = answer.body }
    for _, name in ipairs(REFUSED_WITH) do
        for _, value in ipairs(values(answer.headers, name)) do
            reply:add_header(name, value)
        end
    end
    txn:done(reply)
end

core.register_action("counterfoil", { "http-req" }, function(txn, demand)
    local answer = ask(txn, demand)
    if answer.status == 200 then
        for _, name in ipairs(IDENTITY) do
            local value = values(answer.headers, name)[1]
            if value then
                txn.http:req_set_header(name, value)
            end
        end
        local cookie = values(answer.headers, "set-cookie")[1]
        if cookie then
            txn:set_var("txn.auth_cookie", cookie)
        end
        local token = values(answer.headers, "counterfoil-access-token")[1]
        if token then
            txn:set_var("txn.auth_token", token)
        end
        txn:set_var("txn.auth_verdict", "signed-in")
    elseif answer.status == 401 or answer.status == 403 then
        refuse(txn, answer)
    end
end, 1)
