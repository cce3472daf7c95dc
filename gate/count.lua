-- Counts a batch of requests of one shard and appends their usage events: all limits of a request, or none.
--
-- KEYS[1]  the shard's stream, such as goongdash:{u0}:events. Every other key begins with what stands before
--          "events", so that all of them share its hash tag.
-- ARGV[1]  days around now, each `>I8I4I4`: first microsecond, day (20261123), month (202611); ascending.
-- ARGV[2]  how long a day's and a month's counters are kept, in seconds, `>I4I4`.
-- then for each request:
--   spec   what is the same for all requests of a key to a service; layout in `gate/specs.py`.
--   caller who shares the rate with this request: its IP address.
--   event  the end of its event line; the outcome's number is put before it.
--
-- Answers one string: for each request `>BI4I4I4I4`: outcome number, then what is left of the rate, microseconds
-- until the rate or the limit that bound lets one more pass, what is left of the day and of the month
-- (4294967295: no such limit). The clock is the store's own.
--
-- Example: EVALSHA <sha> 1 goongdash:{u0}:events <days> <ttl> <spec> 203.0.113.7 "1\t7\t3\t1\t5000\t203.0.113.7\t\t0198…"

local RECORD_ONLY, MAP_LOAD, MAP_PART = 0, 2, 3
local ALLOWED, RATE_LIMIT, DAILY_QUOTA, MONTHLY_QUOTA, CREDIT_EXHAUSTED = 0, 8, 9, 10, 11
local NONE = 4294967295

local call = redis.call
local prefix = string.sub(KEYS[1], 1, -7)
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

-- The day and month that the store's clock is in, as the installation's zone cuts them.
local day, month, day_end_us = 0, 0, now
for at = 1, #ARGV[1], 16 do
  local start_us, number, its_month = struct.unpack('>I8I4I4', ARGV[1], at)
  if start_us <= now then day, month = number, its_month else day_end_us = start_us break end
end
local day_ttl_s, month_ttl_s = struct.unpack('>I4I4', ARGV[2])

local specs = {}
local function spec_of(packed)
  local spec = specs[packed]
  if not spec then
    spec = {struct.unpack('>BBI8I8I4I4I4I4I8I4I8I4I8I4I4I4I4I8', packed)}
    specs[packed] = spec
  end
  return spec
end

-- A counter as it stands; one that the store does not know begins at what the rollups said (`base`).
local function counter(name, base)
  local value = call('GET', name)
  if value then return tonumber(value) end
  return base
end

-- The rate is a log of the last `limit` passes, eight bytes each: exact in every window, bounded, expiring.
local function rate_wait_us(name, limit, window_us)
  local log = call('GET', name)
  if not log then return 0, '', 0 end
  local n = #log / 8
  local first = 1
  while first <= n and struct.unpack('>I8', log, (first - 1) * 8 + 1) + window_us <= now do first = first + 1 end
  log = string.sub(log, (first - 1) * 8 + 1)
  n = n - first + 1
  if n < limit then return 0, log, n end
  -- Where the limit was lowered there may be more passes in the log than it admits.
  return struct.unpack('>I8', log, (n - limit) * 8 + 1) + window_us - now, log, n
end

-- What was refused before (`fixed` is its outcome) counts against nothing; it is told what is left all the same.
local function decide(spec, caller)
  local kind, fixed, account, key, rate_limit, rate_window_ms, day_limit, month_limit, price,
    month1, allowance1, month2, allowance2, base_day, base_day_n, base_month, base_month_n, base_spent = unpack(spec)
  if kind == RECORD_ONLY then return fixed, NONE, 0, NONE, NONE end

  local rate_key = prefix .. (kind == MAP_PART and 'p:' or 'r:') .. key .. ':' .. caller
  local window_us = rate_window_ms * 1000
  local wait_us, log, n_recent = rate_wait_us(rate_key, rate_limit, window_us)
  if kind == MAP_PART then
    if fixed ~= ALLOWED then return fixed, math.max(0, rate_limit - n_recent), 0, NONE, NONE end
    if wait_us > 0 then return RATE_LIMIT, 0, wait_us, NONE, NONE end
    call('SET', rate_key, log .. struct.pack('>I8', now), 'PX', rate_window_ms)
    return ALLOWED, rate_limit - n_recent - 1, 0, NONE, NONE
  end

  local day_key = prefix .. 'd:' .. key .. ':' .. day
  local month_key = prefix .. (kind == MAP_LOAD and 'l:' or 'm:') .. account .. ':' .. month
  local spent_key = prefix .. 'c:' .. account .. ':' .. month
  local n_day = counter(day_key, base_day == day and base_day_n or 0)
  local n_month = counter(month_key, base_month == month and base_month_n or 0)
  local spent = counter(spent_key, base_month == month and base_spent or 0)
  local allowance = month == month1 and allowance1 or (month == month2 and allowance2 or 0)
  local left_day = day_limit == NONE and NONE or math.max(0, day_limit - n_day)
  local left_month = month_limit == NONE and NONE or math.max(0, month_limit - n_month)
  local left_rate = math.max(0, rate_limit - n_recent)

  if fixed ~= ALLOWED then return fixed, left_rate, 0, left_day, left_month end
  if wait_us > 0 then return RATE_LIMIT, 0, wait_us, left_day, left_month end
  if left_day == 0 then return DAILY_QUOTA, left_rate, 0, 0, left_month end
  if left_month == 0 then return MONTHLY_QUOTA, left_rate, 0, left_day, 0 end
  if price > 0 and spent + price > allowance then return CREDIT_EXHAUSTED, left_rate, 0, left_day, left_month end

  call('SET', rate_key, log .. struct.pack('>I8', now), 'PX', rate_window_ms)
  call('SET', day_key, string.format('%.0f', n_day + 1), 'EX', day_ttl_s)
  call('SET', month_key, string.format('%.0f', n_month + 1), 'EX', month_ttl_s)
  call('SET', spent_key, string.format('%.0f', spent + price), 'EX', month_ttl_s)
  if left_day ~= NONE then left_day = left_day - 1 end
  if left_month ~= NONE then left_month = left_month - 1 end
  return ALLOWED, left_rate - 1, 0, left_day, left_month
end

local answers, lines = {}, {}
for at = 3, #ARGV, 3 do
  local outcome, left_rate, wait_us, left_day, left_month = decide(spec_of(ARGV[at]), ARGV[at + 1])
  if wait_us > NONE then wait_us = NONE end
  answers[#answers + 1] = struct.pack('>BI4I4I4I4', outcome, left_rate, wait_us, left_day, left_month)
  lines[#lines + 1] = outcome .. '\t' .. ARGV[at + 2]
end

local n_said = call('INCRBY', prefix .. 'said', #lines)
call('XADD', KEYS[1], '*', 't', string.format('%.0f', now), 'n', string.format('%.0f', n_said - #lines), 'e', table.concat(lines, '\n'))
return struct.pack('>I8', now) .. table.concat(answers)
