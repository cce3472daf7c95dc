-- One request's limits and its event in one script call: what a careful engineer writes without this project.
-- It is called for each request alone, and keeps what the gate keeps: a log of passes, three counters, a stream.
--
-- KEYS  rate log, day's counter, month's counter, month's money, stream
-- ARGV  outcome decided before (0: none), rate limit, window in microseconds, day limit, month limit, price,
--       allowance, event
-- Answers outcome number, what is left of rate, day and month.

local call = redis.call
local fixed, rate, window_us, per_day, per_month, price, allowance =
  tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]),
  tonumber(ARGV[7])
local time = call('TIME')
local now = time[1] * 1000000 + time[2]

local function decide()
  local log = call('GET', KEYS[1]) or ''
  local first, n = 1, #log / 8
  while first <= n and struct.unpack('>I8', log, first * 8 - 7) + window_us <= now do first = first + 1 end
  log = string.sub(log, first * 8 - 7)
  n = n - first + 1
  local counted = call('MGET', KEYS[2], KEYS[3], KEYS[4])
  local day, month, spent = tonumber(counted[1] or 0), tonumber(counted[2] or 0), tonumber(counted[3] or 0)
  if fixed > 0 then return fixed, rate - n, per_day - day, per_month - month end
  if n >= rate then return 8, 0, per_day - day, per_month - month end
  if day >= per_day then return 9, rate - n, 0, per_month - month end
  if month >= per_month then return 10, rate - n, per_day - day, 0 end
  if spent + price > allowance then return 11, rate - n, per_day - day, per_month - month end
  call('SET', KEYS[1], log .. struct.pack('>I8', now), 'PX', window_us / 1000)
  call('SET', KEYS[2], day + 1, 'EX', 172800)
  call('SET', KEYS[3], month + 1, 'EX', 3456000)
  call('SET', KEYS[4], string.format('%.0f', spent + price), 'EX', 3456000)
  return 0, rate - n - 1, per_day - day - 1, per_month - month - 1
end

local outcome, left_rate, left_day, left_month = decide()
call('XADD', KEYS[5], '*', 'e', outcome .. '\t' .. ARGV[8])
return {outcome, left_rate, left_day, left_month}
