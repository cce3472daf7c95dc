-- Counts in nginx's shared memory: a fixed window of one second, three counters, and no record of anything.

local keys = require 'keys'
local counts = ngx.shared.counts
local PRICE, ALLOWANCE = 5000, 1e15

local key, ip, _, refused = keys.identify()
if refused then return keys.answer(key, refused) end

local now = ngx.time()
local rate_name = key.id .. ':' .. ip .. ':' .. now
local day_name, month_name = 'd' .. key.id .. ':' .. os.date('%Y%m%d', now), 'm' .. key.account
local spent_name = 'c' .. key.account
local n_day, n_month, spent = counts:get(day_name) or 0, counts:get(month_name) or 0, counts:get(spent_name) or 0
local n_rate = counts:get(rate_name) or 0
local outcome = n_rate >= key.rate and 8 or n_day >= key.per_day and 9 or n_month >= key.per_month and 10
  or spent + PRICE > ALLOWANCE and 11 or 0
if outcome == 0 then
  counts:incr(rate_name, 1, 0, 2)
  counts:incr(day_name, 1, 0, 172800)
  counts:incr(month_name, 1, 0, 3456000)
  counts:incr(spent_name, PRICE, 0, 3456000)
  n_rate, n_day = n_rate + 1, n_day + 1
end
keys.answer(key, outcome, key.rate - n_rate, key.per_day - n_day)
