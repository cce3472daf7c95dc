-- Counts and records in Redis: one script call for each request, over connections that are kept.

local keys = require 'keys'
local redis = require 'nginx.redis'
local script = require 'script'
local PRICE, ALLOWANCE, WINDOW_US = 5000, 1e15, 1000000

local key, ip, origin, refused = keys.identify()
if not key then return keys.answer(key, refused) end

local store = redis:new()
store:set_timeout(1000)
assert(store:connect(script.socket))
local now = ngx.time()
local event = table.concat({key.account, key.id, '6', '1', PRICE, ip, origin, ngx.var.request_id}, '\t')
local verdict = assert(store:evalsha(script.sha(store), 5,
  'peer:r:' .. key.id .. ':' .. ip, 'peer:d:' .. key.id .. ':' .. os.date('%Y%m%d', now),
  'peer:m:' .. key.account .. ':' .. os.date('%Y%m', now), 'peer:c:' .. key.account .. ':' .. os.date('%Y%m', now),
  'peer:nginx', refused or 0, key.rate, WINDOW_US, key.per_day, key.per_month, PRICE, ALLOWANCE, event))
store:set_keepalive(60000, 512)
keys.answer(key, verdict[1], verdict[2], verdict[3])
