-- Counts a batch of requests of one shard and appends their usage events: all limits of a request, or none.
--
-- KEYS[1]  the shard's stream, such as goongdash:{u0}:events. Every other key begins with what stands before
--          "events", so that all of them share its hash tag.
-- ARGV[1]  days around now, each `>I8I4I4`: first microsecond, day (20261123), month (202611); ascending.
-- ARGV[2]  how long is kept, in seconds, `>I4I4I4I4`: a day's counters, a month's, a session that is open, one
--          that has ended.
-- then for each request:
--   spec   what is the same for all requests of a key to a service; layout in `gate/specs.py`.
--   caller who shares the rate with this request: `<key>:<IP address>`; in a session, a tab and its token follow.
--   event  the end of its event line; the outcome's number and whether it is charged are put before it.
--
-- Answers one string: the store's clock `>I8`, then for each request `>BI4I4I4I4`: outcome number, what is left of
-- the rate, microseconds until the limit that bound lets one more pass, what is left of the day and of the month
-- (4294967295: no such limit).
--
-- What it keeps, each group in one hash, so that a batch is a handful of commands, however many requests it has:
--   <prefix>rate:<window in ms>:<number of window>  `<key>:<IP>` → `>I4` for each pass, microseconds into the window
--   <prefix>day:<day>                               key → requests
--   <prefix>month:<month>                           account → `>I4I4I8`: requests, map loads, micro-dollars spent
--   <prefix>session:<account>:<token>               "open" or "ended"
--
-- Example: EVALSHA <sha> 1 goongdash:{u0}:events <days> <ttl> <spec> 7:203.0.113.7 "3\t7\t6\t1\t5000\t203.0.113.7\t\t0198…"

local RECORD_ONLY, MAP_LOAD, MAP_PART = 0, 2, 3
local SEARCH, DETAIL = 1, 2
local ALLOWED, RATE_LIMIT, DAILY_QUOTA, MONTHLY_QUOTA, CREDIT_EXHAUSTED = 0, 8, 9, 10, 11
local NONE = 4294967295

local call, pack, unpack_at = redis.call, struct.pack, struct.unpack
local prefix = string.sub(KEYS[1], 1, -7)
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

-- A hash of the store, read with one command for the whole batch and written with one.
local function hash(name, ttl_ms)
  return {name = prefix .. name, ttl_ms = ttl_ms, fields = {}, values = {}, changed = {}}
end

local function want(from, field)
  if from.values[field] == nil then
    from.values[field] = false
    from.fields[#from.fields + 1] = field
  end
end

local function read(from)
  if #from.fields == 0 then return end
  local found = call('HMGET', from.name, unpack(from.fields))
  for at, field in ipairs(from.fields) do from.values[field] = found[at] end
end

local function write(to)
  if #to.changed == 0 then return end
  local n_added = call('HSET', to.name, unpack(to.changed))
  -- All that it holds is new, so it is: whoever begins a hash says when it ends.
  if n_added > 0 and n_added == call('HLEN', to.name) then call('PEXPIRE', to.name, to.ttl_ms) end
end

local function change(to, field, value)
  to.changed[#to.changed + 1] = field
  to.changed[#to.changed + 1] = value
end

local days = hash('day:' .. day, day_ttl_s * 1000)
local months = hash('month:' .. month, month_ttl_s * 1000)

-- The passes of a rate's window and of the one before, which the last `window_ms` may still reach into.
local windows = {}
local function window(window_ms)
  local found = windows[window_ms]
  if not found then
    local number = math.floor(now / (window_ms * 1000))
    local name = 'rate:' .. string.format('%.0f', window_ms) .. ':'
    found = {
      length_us = window_ms * 1000,
      now_us = now - number * window_ms * 1000,
      old = hash(name .. string.format('%.0f', number - 1)),
      new = hash(name .. string.format('%.0f', number), 2 * window_ms + 1000),
      passes = {},
    }
    windows[window_ms] = found
  end
  return found
end

local specs = {}
for at = 3, #ARGV, 3 do
  local spec = specs[ARGV[at]]
  if not spec then
    spec = {unpack_at('>BBBI4I4I4I4I8I4I8I4I8ss', ARGV[at])}
    specs[ARGV[at]] = spec
    if spec[1] ~= RECORD_ONLY and spec[1] ~= MAP_PART then
      want(days, spec[13])
      want(months, spec[14])
    end
  end
  if spec[1] ~= RECORD_ONLY then
    local its_window = window(spec[5])
    local caller = ARGV[at + 1]
    if spec[3] > 0 then caller = string.match(caller, '^[^\t]*') end
    want(its_window.old, caller)
    want(its_window.new, caller)
  end
end
read(days)
read(months)
for _, its_window in pairs(windows) do
  read(its_window.old)
  read(its_window.new)
end

-- Where in `log` the first pass is that is later than `us`.
local function first_after(log, us)
  local low, high = 0, #log / 4
  while low < high do
    local middle = math.floor((low + high) / 2)
    if unpack_at('>I4', log, middle * 4 + 1) > us then high = middle else low = middle + 1 end
  end
  return low * 4 + 1
end

local function passes_of(its_window, caller)
  local passes = its_window.passes[caller]
  if not passes then
    local old = its_window.old.values[caller] or ''
    if old ~= '' then old = string.sub(old, first_after(old, its_window.now_us)) end
    passes = {old = old, new = its_window.new.values[caller] or '', changed = false}
    its_window.passes[caller] = passes
  end
  return passes
end

-- Microseconds until one more may pass: until only `limit` - 1 passes lie within the window.
local function wait_us(its_window, passes, limit)
  local n_old = #passes.old / 4
  local binding = n_old + #passes.new / 4 - limit
  if binding < n_old then return unpack_at('>I4', passes.old, binding * 4 + 1) - its_window.now_us end
  return unpack_at('>I4', passes.new, (binding - n_old) * 4 + 1) + its_window.length_us - its_window.now_us
end

-- Counters as they stand; one that the store does not have begins at what the rollups said when the key was read.
local n_by_key, uses_by_account, changed_keys = {}, {}, {}
local function load_counters(spec, packed)
  local key, account, base_at = spec[13], spec[14], spec[15]
  if not n_by_key[key] or not uses_by_account[account] then
    local base_day, base_n, base_month, base_requests, base_loads, base_spent =
      unpack_at('>I4I4I4I4I4I8', packed, base_at)
    if not n_by_key[key] then
      n_by_key[key] = tonumber(days.values[key] or (base_day == day and base_n or 0))
    end
    if not uses_by_account[account] then
      local kept = months.values[account]
      if kept then
        local n_requests, n_loads, spent = unpack_at('>I4I4I8', kept)
        uses_by_account[account] = {n_requests, n_loads, spent}
      elseif base_month == month then
        uses_by_account[account] = {base_requests, base_loads, base_spent}
      else
        uses_by_account[account] = {0, 0, 0}
      end
    end
  end
  return n_by_key[key], uses_by_account[account]
end

-- What a request costs in its session, and what becomes of that. Searches of an open session are covered by the
-- first, and so is one detail, which ends it; under a token that has ended, everything is charged.
local function session_price(price, part, account, token)
  local name = prefix .. 'session:' .. account .. ':' .. token
  local state = call('GET', name)
  local is_covered = state == 'open'
  local next_state = (part == DETAIL or state == 'ended') and 'ended' or 'open'
  return is_covered and 0 or price, not is_covered, {name, next_state, next_state == 'open' and open_ttl_s or ended_ttl_s}
end

-- What was refused before (`fixed` is its outcome) counts against nothing; it is told what is left all the same.
local function decide(spec, packed, caller)
  local kind, fixed, part, rate_limit, window_ms, day_limit, month_limit, price,
    month1, allowance1, month2, allowance2, key, account = unpack(spec, 1, 14)
  if kind == RECORD_ONLY then return fixed, NONE, 0, NONE, NONE end

  local token
  if part > 0 then
    caller, token = string.match(caller, '^([^\t]*)\t(.*)$')
  end
  local its_window = window(window_ms)
  local passes = passes_of(its_window, caller)
  local left_rate = math.max(0, rate_limit - (#passes.old + #passes.new) / 4)
  if kind == MAP_PART then
    if fixed ~= ALLOWED then return fixed, left_rate, 0, NONE, NONE end
    if left_rate == 0 then return RATE_LIMIT, 0, wait_us(its_window, passes, rate_limit), NONE, NONE end
    passes.new, passes.changed = passes.new .. pack('>I4', its_window.now_us), true
    return ALLOWED, left_rate - 1, 0, NONE, NONE, true
  end

  local n_day, uses = load_counters(spec, packed)
  local counter = kind == MAP_LOAD and 2 or 1
  local left_day = day_limit == NONE and NONE or math.max(0, day_limit - n_day)
  local left_month = month_limit == NONE and NONE or math.max(0, month_limit - uses[counter])
  if fixed ~= ALLOWED then return fixed, left_rate, 0, left_day, left_month end
  if left_rate == 0 then return RATE_LIMIT, 0, wait_us(its_window, passes, rate_limit), left_day, left_month end
  if left_day == 0 then return DAILY_QUOTA, left_rate, 0, 0, left_month end
  if left_month == 0 then return MONTHLY_QUOTA, left_rate, 0, left_day, 0 end

  local is_charged, session = true, nil
  if token then price, is_charged, session = session_price(price, part, account, token) end
  local allowance = month == month1 and allowance1 or (month == month2 and allowance2 or 0)
  if price > 0 and uses[3] + price > allowance then return CREDIT_EXHAUSTED, left_rate, 0, left_day, left_month end

  passes.new, passes.changed = passes.new .. pack('>I4', its_window.now_us), true
  n_by_key[key], changed_keys[key] = n_day + 1, true
  uses[counter], uses[3], uses.changed = uses[counter] + 1, uses[3] + price, true
  if session then call('SET', session[1], session[2], 'EX', session[3]) end
  if left_day ~= NONE then left_day = left_day - 1 end
  if left_month ~= NONE then left_month = left_month - 1 end
  return ALLOWED, left_rate - 1, 0, left_day, left_month, is_charged
end

local answers, lines = {pack('>I8', now)}, {}
for at = 3, #ARGV, 3 do
  local packed = ARGV[at]
  local outcome, left_rate, wait, left_day, left_month, is_charged = decide(specs[packed], packed, ARGV[at + 1])
  answers[#answers + 1] = pack('>BI4I4I4I4', outcome, left_rate, math.min(wait, NONE), left_day, left_month)
  lines[#lines + 1] = outcome .. (is_charged and '\t1\t' or '\t0\t') .. ARGV[at + 2]
end

for _, its_window in pairs(windows) do
  for caller, passes in pairs(its_window.passes) do
    if passes.changed then change(its_window.new, caller, passes.new) end
  end
  write(its_window.new)
end
for account, uses in pairs(uses_by_account) do
  if uses.changed then change(months, account, pack('>I4I4I8', uses[1], uses[2], uses[3])) end
end
write(months)
for key in pairs(changed_keys) do change(days, key, string.format('%.0f', n_by_key[key])) end
write(days)

local n_said = call('INCRBY', prefix .. 'said', #lines)
call('XADD', KEYS[1], '*', 't', string.format('%.0f', now), 'n', string.format('%.0f', n_said - #lines), 'e', table.concat(lines, '\n'))
return table.concat(answers)
