-- Asks the gate about a request, as `http-request lua.ask_gate`.
--
-- GATE_ADDRESS says where the gate is, as `bind` and `server` write it. An allowed request gets X-Account-Id,
-- X-Key-Id and X-Request-Id, whatever the caller said of them, and for its answer the variables
-- txn.gate_request_id, txn.gate_limit and txn.gate_policy; last of all txn.gate_allows, without which nothing may
-- pass. A refusal is sent as the gate says it.

local ADDRESS = os.getenv("GATE_ADDRESS")
local TIMEOUT_MS = 5000
-- Of a refusal's headers: those of one hop are HAProxy's own to say, and X-Gate-Body is for nginx.
local LEFT_OUT = {
    ["connection"] = true,
    ["content-length"] = true,
    ["transfer-encoding"] = true,
    ["x-gate-body"] = true,
}

-- What the gate reads and nothing else, so that no header of the caller's can be taken for ours.
local function question_headers(txn)
    local given = txn.http:req_get_headers()
    return {
        ["x-original-uri"] = { txn.sf:pathq() },
        ["x-original-method"] = { txn.sf:method() },
        ["x-forwarded-for"] = { txn.sf:src() },
        ["origin"] = { given["origin"] and given["origin"][0] },
        ["referer"] = { given["referer"] and given["referer"][0] },
    }
end

local function first(answer, name)
    local values = answer.headers[name]
    return values and values[0]
end

local function allow(txn, answer)
    for _, name in ipairs({ "x-account-id", "x-key-id", "x-request-id" }) do
        txn.http:req_set_header(name, first(answer, name))
    end
    txn:set_var("txn.gate_request_id", first(answer, "x-request-id"))
    txn:set_var("txn.gate_limit", first(answer, "ratelimit"))
    txn:set_var("txn.gate_policy", first(answer, "ratelimit-policy"))
    local would_refuse = first(answer, "goongdash-would-refuse")
    if would_refuse then
        txn:set_var("txn.gate_would_refuse", would_refuse)
    end
    txn:set_var("txn.gate_allows", true)
end

local function refuse(txn, answer)
    local reply = txn:reply({ status = answer.status, reason = answer.reason, body = answer.body })
    for name, values in pairs(answer.headers) do
        if not LEFT_OUT[name] then
            for _, value in pairs(values) do
                reply:add_header(name, value)
            end
        end
    end
    txn:done(reply)
end

core.register_action("ask_gate", { "http-req" }, function(txn)
    local answer = core.httpclient():get({
        url = "http://gate/_gate/auth",
        dst = ADDRESS,
        headers = question_headers(txn),
        timeout = TIMEOUT_MS,
    })
    if answer.status == 200 then
        allow(txn, answer)
    elseif answer.status >= 400 and first(answer, "x-request-id") then
        refuse(txn, answer)
    end
end)
