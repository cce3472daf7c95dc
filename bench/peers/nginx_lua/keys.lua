-- The keys in memory, read once, and what a request says of itself. Shared by both ways of counting.

local find, match = ngx.re.find, ngx.re.match
local M = {by_text = {}}

-- One key a line: text, id, account, limits a day, a month and a second, then its patterns.
function M.load(path)
  for line in io.lines(path) do
    local fields = {}
    for field in (line .. '\t'):gmatch('(.-)\t') do fields[#fields + 1] = field end
    local key = {id = fields[2], account = fields[3], per_day = tonumber(fields[4]), per_month = tonumber(fields[5]),
      rate = tonumber(fields[6]), regexes = {}}
    for at = 7, #fields do key.regexes[#key.regexes + 1] = M.regex_of(fields[at]) end
    M.by_text[fields[1]] = key
  end
end

-- `http*://*.site7.example/*` as a regular expression; a star in the host crosses no slash and no colon.
function M.regex_of(pattern)
  local host = pattern:match('^http%*://(.-)/%*$')
  return '^https?://' .. host:gsub('%.', '\\.'):gsub('%*', '[^/:]+') .. '/'
end

-- The key, the caller's address and origin, and why it is refused before anything is counted (nil: it is not).
function M.identify()
  local var = ngx.var
  local parts = match(var.http_x_original_uri or '', [[^([^?]*)\?(?:.*&)?api_key=([^&]*)]], 'jo')
  local key = parts and M.by_text[parts[2]]
  local origin, ip = var.http_referer or '', var.http_x_forwarded_for or var.remote_addr
  if not key then return nil, ip, origin, 2 end
  if not find(parts[1], [[^/v2/geocode$]], 'joi') then return key, ip, origin, 6 end
  for _, regex in ipairs(key.regexes) do
    if find(origin, regex, 'jo') then return key, ip, origin, nil end
  end
  return key, ip, origin, 7
end

local REFUSALS = {
  [2] = {403, 'KEY_INVALID'}, [6] = {403, 'KEY_TYPE'}, [7] = {403, 'ORIGIN_NOT_ALLOWED'}, [8] = {429, 'RATE_LIMIT'},
  [9] = {429, 'DAILY_QUOTA'}, [10] = {429, 'MONTHLY_QUOTA'}, [11] = {429, 'CREDIT_EXHAUSTED'},
}

function M.answer(key, outcome, left_rate, left_day)
  local header = ngx.header
  header['X-Request-Id'] = ngx.var.request_id
  header['Access-Control-Allow-Origin'] = '*'
  if left_rate then header['RateLimit'] = '"rate";r=' .. left_rate .. ';t=1, "day";r=' .. left_day .. ';t=86400' end
  if outcome == 0 then
    header['X-Account-Id'], header['X-Key-Id'] = key.account, key.id
    ngx.status = 200
    return ngx.eof()
  end
  local refusal = REFUSALS[outcome]
  ngx.status = refusal[1]
  header['Content-Type'] = 'application/json'
  ngx.print('{"message": "Refused.", "code": "', refusal[2], '", "request_id": "', ngx.var.request_id, '"}')
end

return M
