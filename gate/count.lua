-- Counts a batch of requests of one shard and appends their usage events: all limits of a request, or none.
--
-- KEYS[1]  the shard's stream, such as goongdash:{u0}:events. Every other key begins with what stands before
--          "events", so that all of them share its hash tag.
-- ARGV[1]  days around now, each `>I8I4I4`: first microsecond, day (20261123), month (202611); ascending.
-- ARGV[2]  how long is kept, in seconds, `>I4I4I4I4`: a day's counters, a month's, a session that is open, one
--          that has ended.
-- ARGV[3]  the connection that this call comes on, and ARGV[4] its number there, from 1: written down with what is
--          counted. A connection that `replay.lua` has closed is refused.
-- then for each request:
--   spec   what is the same for all requests of a key to a service; layout in `gate/specs.py`.
--   caller who shares the rate with this request: `<key>:<IP address>`; in a session, a tab and its token follow,
--          and where a request may have several units, a tab and their number.
--   event  the end of its event line; the outcome's number and whether it is charged are put before it, and with
--          that, where the line itself cannot know it, the cost: "1:<micro-dollars>".
--
-- Answers one string: the store's clock `>I8`, then for each request `>BI4I4I4I4I4`: outcome number, what is left of
-- the rate, microseconds until the limit that bound lets one more pass, what is left of the day, of the plan's month
-- and of the key's own month (4294967295: no such limit).
--
-- What it keeps, each group in one hash, so that a batch is a handful of commands, however many requests it has:
--   <prefix>rate:<window in ms>:<number of window>  `<key>:<IP>` → `>I4` for each pass, microseconds into the window
--   <prefix>day:<day>                               key → `>I4`: requests
--   <prefix>month:<month>                           account → `>I4I4I8`: requests, map loads, micro-dollars spent;
--                                                   k<key> → `>I4I8`: requests and micro-dollars of a key that has
--                                                   a month's limit or a spend cap of its own;
--                                                   u<account>:<service> → `>I8`: charged units of a service whose
--                                                   price has tiers
--   <prefix>b:<connection>                          the number of its last call
--   <prefix>open                                    that the counters are all there: without it the store has been
--                                                   emptied, and nothing is counted; see `gate/rebuilding.py`
--   <prefix>session:<account>:<token>               "open" or "ended"
--
-- Example: EVALSHA <sha> 1 goongdash:{u0}:events <days> <ttl> 5f0c… 1 <spec> 7:203.0.113.7 "3\t7\t6\t1\t5000\t203.0.113.7\t\t0198…"

local RECORD_ONLY, MAP_LOAD, MAP_PART = 0, 2, 3
local DETAIL = 2
local ALLOWED, RATE_LIMIT, DAILY_QUOTA, MONTHLY_QUOTA, CREDIT_EXHAUSTED = 0, 8, 9, 10, 11
local KEY_BUDGET, ACCOUNT_BUDGET = 15, 16
local NONE = 4294967295

-- The places of a spec's fields.
local KIND, FIXED, PART, RATE_LIMIT_N, WINDOW_MS, DAY_LIMIT, MONTH_LIMIT, PRICE = 1, 2, 3, 4, 5, 6, 7, 8
local MONTH1, ALLOWANCE1, MONTH2, ALLOWANCE2, EXTRAS, KEY, ACCOUNT, BASE = 9, 10, 11, 12, 13, 14, 15, 16
local SPEC, BASE_BYTES = '>BBBI4I4I4I4I8I4I8I4I8Bss', 28

local ARGV, call, pack, unpack_at, sub = ARGV, redis.call, struct.pack, struct.unpack, string.sub
local prefix = sub(KEYS[1], 1, -7)
local call_key = prefix .. 'b:' .. ARGV[3]
local last_call, is_open = unpack(call('MGET', call_key, prefix .. 'open'))
if not is_open then return redis.error_reply('EMPTIED and not rebuilt yet') end
if sub(last_call or '', 1, 1) == 'x' then return redis.error_reply('CLOSED by a replay') end
call('SET', call_key, ARGV[4], 'EX', 604800)

local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- The day and month that the store's clock is in, as the installation's zone cuts them.
local day, month = 0, 0
for at = 1, #ARGV[1], 16 do
  local start_us, number, its_month = unpack_at('>I8I4I4', ARGV[1], at)
  if start_us > now then break end
  day, month = number, its_month
end
local day_ttl_s, month_ttl_s, open_ttl_s, ended_ttl_s = unpack_at('>I4I4I4I4', ARGV[2])

-- Fields of a hash, each once: `at` tells where in `fields`, and so in what was read of them.
local function wanted() return {n = 0, fields = {}, at = {}, changed = {}} end

local function want(list, field)
  if not list.at[field] then
    local n = list.n + 1
    list.n, list.fields[n], list.at[field] = n, field, n
  end
end

local function read(name, list)
  if list.n == 0 then return {} end
  return call('HMGET', prefix .. name, unpack(list.fields))
end

-- Writes those of `values` that changed; whoever begins a hash says when it ends.
local function write(name, list, values, ttl_ms)
  local pairs_of, n = {}, 0
  for at in pairs(list.changed) do
    pairs_of[n + 1], pairs_of[n + 2], n = list.fields[at], values[at], n + 2
  end
  if n == 0 then return end
  name = prefix .. name
  local n_added = call('HSET', name, unpack(pairs_of))
  if n_added > 0 and n_added == call('HLEN', name) then call('PEXPIRE', name, ttl_ms) end
end

-- A rate's window in which now is, and the one before it, into which the last `window_ms` reach.
local windows = {}
local function begin_window(window_ms)
  local number = math.floor(now / (window_ms * 1000))
  local window = wanted()
  window.length_us, window.ttl_ms = window_ms * 1000, 2 * window_ms + 1000
  window.now_us = now - number * window.length_us
  window.name = 'rate:' .. string.format('%.0f', window_ms) .. ':'
  window.number, window.now_packed = number, pack('>I4', window.now_us)
  windows[window_ms] = window
  return window
end

local specs, days, months = {}, wanted(), wanted()

-- A price of several tiers, or one that is about to change: where each tier begins, and what a unit then costs.
local function read_tiers(spec, packed, at)
  local service, base_units, next_from_us, n_now, n_next, first = unpack_at('>sI8I8I2I2', packed, at)
  spec.base_units = base_units
  if n_now > 1 or n_next > 1 then spec.units = 'u' .. spec[ACCOUNT] .. ':' .. service end
  local n = n_now
  if n_next > 0 and now >= next_from_us then first, n = first + 16 * n_now, n_next end
  spec.tiers = {unpack_at('>' .. string.rep('I8', 2 * n), packed, first)}
  spec.tiers[2 * n + 1] = math.huge
end

-- What few have: a month's limit and a spend cap of the key's own or a budget of its account (1), tiers (2), several
-- units in one request (4).
local function read_extras(spec, packed)
  local has, at = spec[EXTRAS], spec[BASE] + BASE_BYTES
  if has % 2 == 1 then
    spec.month_limit, spec.cap, spec.budget, spec.base_requests, spec.base_spent, at =
      unpack_at('>I4I8I8I4I8', packed, at)
    spec.own = 'k' .. spec[KEY]
    want(months, spec.own)
  end
  if has % 4 > 1 then
    read_tiers(spec, packed, at)
    if spec.units then want(months, spec.units) end
  end
  spec.has_units = has > 3
end

-- What has to be read, for all requests at once.
for at = 5, #ARGV, 3 do
  local packed = ARGV[at]
  local spec = specs[packed]
  if not spec then
    spec = {unpack_at(SPEC, packed)}
    specs[packed] = spec
    if spec[KIND] ~= RECORD_ONLY and spec[KIND] ~= MAP_PART then
      want(days, spec[KEY])
      want(months, spec[ACCOUNT])
      if spec[EXTRAS] > 0 then read_extras(spec, packed) end
    end
  end
  if spec[KIND] ~= RECORD_ONLY then
    local caller = ARGV[at + 1]
    if spec[PART] > 0 or spec.has_units then caller = string.match(caller, '^[^\t]*') end
    want(windows[spec[WINDOW_MS]] or begin_window(spec[WINDOW_MS]), caller)
  end
end
local day_values, month_values = read('day:' .. day, days), read('month:' .. month, months)
for _, window in pairs(windows) do
  window.old = read(window.name .. string.format('%.0f', window.number - 1), window)
  window.new = read(window.name .. string.format('%.0f', window.number), window)
end

-- Of the passes in `log`, those later than `us`.
local function passes_after(log, us)
  local low, high = 0, #log / 4
  while low < high do
    local middle = math.floor((low + high) / 2)
    if unpack_at('>I4', log, middle * 4 + 1) > us then high = middle else low = middle + 1 end
  end
  return sub(log, low * 4 + 1)
end

-- How many have passed within the window that ends now.
local function n_passes(window, at)
  local n, old = 0, window.old[at]
  if old then
    old = passes_after(old, window.now_us)
    window.old[at] = old
    n = #old / 4
  end
  local new = window.new[at]
  return new and n + #new / 4 or n
end

-- Microseconds until one more may pass: until only `limit` - 1 passes lie within the window.
local function wait_us(window, at, n, limit)
  local n_old = window.old[at] and #window.old[at] / 4 or 0
  local binding = n - limit
  if binding < n_old then return unpack_at('>I4', window.old[at], binding * 4 + 1) - window.now_us end
  return unpack_at('>I4', window.new[at], (binding - n_old) * 4 + 1) + window.length_us - window.now_us
end

local function pass(window, at)
  local new = window.new[at]
  window.new[at] = new and new .. window.now_packed or window.now_packed
  window.changed[at] = true
end

-- Counters as they stand, by their places in `days` and `months`; one that the store does not have begins at what
-- the rollups said when the key was read.
local n_day, n_requests, n_loads, spent = {}, {}, {}, {}
local n_own, spent_own, n_units = {}, {}, {}
local function load_day(at, packed, spec)
  local value = day_values[at]
  if value then
    n_day[at] = unpack_at('>I4', value)
  else
    local base_day, base_n = unpack_at('>I4I4', packed, spec[BASE])
    n_day[at] = base_day == day and base_n or 0
  end
end

local function load_month(at, packed, spec)
  local value = month_values[at]
  if value then
    n_requests[at], n_loads[at], spent[at] = unpack_at('>I4I4I8', value)
  else
    local base_month, base_requests, base_loads, base_spent = unpack_at('>I4I4I4I8', packed, spec[BASE] + 8)
    if base_month ~= month then base_requests, base_loads, base_spent = 0, 0, 0 end
    n_requests[at], n_loads[at], spent[at] = base_requests, base_loads, base_spent
  end
end

-- A key's own counter is kept only while the key has limits for it: where it was not kept, the rollups know more.
local function load_own(at, packed, spec)
  local value, requests, micro_usd = month_values[at], 0, 0
  if value then requests, micro_usd = unpack_at('>I4I8', value) end
  if unpack_at('>I4', packed, spec[BASE] + 8) == month then
    requests, micro_usd = math.max(requests, spec.base_requests), math.max(micro_usd, spec.base_spent)
  end
  n_own[at], spent_own[at] = requests, micro_usd
end

-- Likewise of the month's units of a service, which are kept only while its price has tiers.
local function load_units(at, packed, spec)
  local value = month_values[at]
  local units = value and unpack_at('>I8', value) or 0
  if unpack_at('>I4', packed, spec[BASE] + 8) == month then units = math.max(units, spec.base_units) end
  n_units[at] = units
end

-- What the month's next `units` cost, each in the tier that its number falls into.
local function tiers_price(tiers, start, units)
  local price, stop = 0, start + units
  for i = 1, #tiers - 2, 2 do
    local n = math.min(stop, tiers[i + 2]) - math.max(start, tiers[i])
    if n > 0 then price = price + n * tiers[i + 1] end
  end
  return price
end

-- Which limit of money a price of `price` would pass; the one that is hardest to lift comes first.
local function money_refusal(spec, price, month_at, own_at)
  local allowance = month == spec[MONTH1] and spec[ALLOWANCE1] or (month == spec[MONTH2] and spec[ALLOWANCE2] or 0)
  if spent[month_at] + price > allowance then return CREDIT_EXHAUSTED end
  if own_at and spent[month_at] + price > spec.budget then return ACCOUNT_BUDGET end
  if own_at and spent_own[own_at] + price > spec.cap then return KEY_BUDGET end
end

-- What a request costs in its session, whether it is charged, and what then becomes of the session. Searches of an
-- open session are covered by the first, and so is one detail, which ends it; after that everything is charged.
local function session_price(spec, token, price)
  local name = prefix .. 'session:' .. spec[ACCOUNT] .. ':' .. token
  local state = call('GET', name)
  local is_covered = state == 'open'
  local next_state = (spec[PART] == DETAIL or state == 'ended') and 'ended' or 'open'
  return is_covered and 0 or price, not is_covered, name, next_state
end

-- What was refused before (FIXED is its outcome) counts against nothing; it is told what is left all the same.
local function decide(spec, packed, caller)
  local kind, fixed = spec[KIND], spec[FIXED]
  if kind == RECORD_ONLY then return fixed, NONE, 0, NONE, NONE, NONE end

  local token, units = nil, 1
  if spec[PART] > 0 then
    caller, token = string.match(caller, '^([^\t]*)\t(.*)$')
  elseif spec.has_units then
    caller, units = string.match(caller, '^([^\t]*)\t(%d+)$')
    units = tonumber(units)
  end
  local window, limit = windows[spec[WINDOW_MS]], spec[RATE_LIMIT_N]
  local rate_at = window.at[caller]
  local n_rate = n_passes(window, rate_at)
  local left_rate = n_rate < limit and limit - n_rate or 0
  if kind == MAP_PART then
    if fixed ~= ALLOWED then return fixed, left_rate, 0, NONE, NONE, NONE end
    if left_rate == 0 then return RATE_LIMIT, 0, wait_us(window, rate_at, n_rate, limit), NONE, NONE, NONE end
    pass(window, rate_at)
    return ALLOWED, left_rate - 1, 0, NONE, NONE, NONE, true
  end

  local day_at, month_at = days.at[spec[KEY]], months.at[spec[ACCOUNT]]
  if not n_day[day_at] then load_day(day_at, packed, spec) end
  if not spent[month_at] then load_month(month_at, packed, spec) end
  local n_month = kind == MAP_LOAD and n_loads or n_requests
  local left_day, left_month = spec[DAY_LIMIT], spec[MONTH_LIMIT]
  if left_day ~= NONE then left_day = math.max(0, left_day - n_day[day_at]) end
  if left_month ~= NONE then left_month = math.max(0, left_month - n_month[month_at]) end
  local own_at, left_own = spec.own and months.at[spec.own], NONE
  if own_at then
    if not n_own[own_at] then load_own(own_at, packed, spec) end
    if spec.month_limit ~= NONE then left_own = math.max(0, spec.month_limit - n_own[own_at]) end
  end
  if fixed ~= ALLOWED then return fixed, left_rate, 0, left_day, left_month, left_own end
  if left_rate == 0 then
    return RATE_LIMIT, 0, wait_us(window, rate_at, n_rate, limit), left_day, left_month, left_own
  end
  if left_day == 0 then return DAILY_QUOTA, left_rate, 0, 0, left_month, left_own end
  if left_month == 0 or left_own == 0 then return MONTHLY_QUOTA, left_rate, 0, left_day, left_month, left_own end

  local price, units_at = spec[PRICE] * units, spec.units and months.at[spec.units]
  if spec.tiers then
    if units_at and not n_units[units_at] then load_units(units_at, packed, spec) end
    price = tiers_price(spec.tiers, units_at and n_units[units_at] or 0, units)
  end
  local is_charged, session, next_state = true, nil, nil
  if token then price, is_charged, session, next_state = session_price(spec, token, price) end
  if price > 0 then
    local refused = money_refusal(spec, price, month_at, own_at)
    if refused then return refused, left_rate, 0, left_day, left_month, left_own end
    spent[month_at] = spent[month_at] + price
  end

  pass(window, rate_at)
  n_day[day_at], days.changed[day_at] = n_day[day_at] + 1, true
  n_month[month_at], months.changed[month_at] = n_month[month_at] + 1, true
  if own_at then
    n_own[own_at], spent_own[own_at] = n_own[own_at] + 1, spent_own[own_at] + price
    months.changed[own_at] = true
  end
  if units_at and is_charged then n_units[units_at], months.changed[units_at] = n_units[units_at] + units, true end
  if session then call('SET', session, next_state, 'EX', next_state == 'open' and open_ttl_s or ended_ttl_s) end
  if left_day ~= NONE then left_day = left_day - 1 end
  if left_month ~= NONE then left_month = left_month - 1 end
  if left_own ~= NONE then left_own = left_own - 1 end
  -- Of what else the line cannot know the cost.
  local cost = is_charged and (spec.tiers or spec.has_units) and price
  return ALLOWED, left_rate - 1, 0, left_day, left_month, left_own, is_charged, cost
end

local answers, lines, n = {pack('>I8', now)}, {}, 0
for at = 5, #ARGV, 3 do
  local packed = ARGV[at]
  local outcome, left_rate, wait, left_day, left_month, left_own, is_charged, cost =
    decide(specs[packed], packed, ARGV[at + 1])
  n = n + 1
  answers[n + 1] = pack('>BI4I4I4I4I4', outcome, left_rate, wait < NONE and wait or NONE, left_day, left_month, left_own)
  lines[n * 4 - 3], lines[n * 4 - 2] = outcome, is_charged and '\t1\t' or '\t0\t'
  if cost then lines[n * 4 - 2] = string.format('\t1:%.0f\t', cost) end
  lines[n * 4 - 1], lines[n * 4] = ARGV[at + 2], '\n'
end
lines[n * 4] = nil

for _, window in pairs(windows) do
  write(window.name .. string.format('%.0f', window.number), window, window.new, window.ttl_ms)
end
for at in pairs(days.changed) do day_values[at] = pack('>I4', n_day[at]) end
write('day:' .. day, days, day_values, day_ttl_s * 1000)
for at in pairs(months.changed) do
  if n_own[at] then
    month_values[at] = pack('>I4I8', n_own[at], spent_own[at])
  elseif n_units[at] then
    month_values[at] = pack('>I8', n_units[at])
  else
    month_values[at] = pack('>I4I4I8', n_requests[at], n_loads[at], spent[at])
  end
end
write('month:' .. month, months, month_values, month_ttl_s * 1000)

local n_said = call('INCRBY', prefix .. 'said', n)
local before = string.format('%.0f', n_said - n)
call('XADD', KEYS[1], '*', 't', string.format('%.0f', now), 'n', before, 'e', table.concat(lines))
return table.concat(answers)
