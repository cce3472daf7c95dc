-- Appends one spooled batch to its shard's stream and adds what it used to the counters: once, however often it is
-- asked to, and not at all where the counting script had counted the batch before its answer was lost.
--
-- KEYS[1]  the shard's stream, such as goongdash:{u0}:events. Every other key begins with what stands before
--          "events", so that all of them share its hash tag.
-- ARGV[1]  the spool file's id.
-- ARGV[2]  the position in the file that must have been replayed last; -1 for the first batch of a pipeline, which
--          is due whatever the store remembers.
-- ARGV[3]  the position where this batch ends.
-- ARGV[4]  the connection that the batch was once sent on to be counted, and ARGV[5] its number there; "" and 0:
--          never sent.
-- ARGV[6]  when the gate decided, in microseconds.
-- ARGV[7]  how many events.
-- ARGV[8]  their lines, as they stand in a stream entry.
-- ARGV[9]  what they used: layout in `gate/charges.py`.
-- ARGV[10] how long a day's and a month's counters are kept, in seconds, as `count.lua` is told it.
--
-- Answers "done", "known" (an earlier try had done it), "counted" (the counting script had), or "gap" (the batch
-- before it has not been replayed: nothing is done).
--
-- Example: EVALSHA <sha> 1 goongdash:{u0}:events 5f0c… -1 211 "" 0 1795402800000000 1 "0\t1\t3\t7\t6\t1\t5000\t…" <…> <ttl>

local KEPT_S = 2592000
local MAP_LOAD, KEY_MONTH, UNITS = 2, 4, 5

local call = redis.call
local prefix = string.sub(KEYS[1], 1, -7)
local file, before, ends_at = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if call('EXISTS', prefix .. 'open') == 0 then return redis.error_reply('EMPTIED and not rebuilt yet') end

local position_key = prefix .. 'replayed:' .. file
local position = tonumber(call('GET', position_key) or -1)
if position >= ends_at then return 'known' end
if before >= 0 and position ~= before then return 'gap' end

-- Whether the counting script has applied the call. It writes each connection's last number there; an "x" before
-- the number closes the connection: a call of it that still waits in some buffer is then refused, and cannot be
-- counted after this has appended its events.
local function was_counted(connection, number)
  if connection == '' then return false end
  local sent_key = prefix .. 'b:' .. connection
  local last = call('GET', sent_key) or '0'
  if string.sub(last, 1, 1) == 'x' then
    last = string.sub(last, 2)
  else
    call('SET', sent_key, 'x' .. last, 'EX', KEPT_S)
  end
  return tonumber(last) >= number
end

-- The one place that knows how counters are kept: the hashes of days and months of `count.lua`.
local function charge(packed)
  local day_ttl_s, month_ttl_s = struct.unpack('>I4I4', ARGV[10])
  local function keep(name, field, value, ttl_s)
    local n_added = call('HSET', name, field, value)
    if n_added == 1 and call('HLEN', name) == 1 then call('EXPIRE', name, ttl_s) end
  end
  -- A key's own month, as `count.lua` keeps it.
  local function add_own(month_name, key, n, spent, n_requests, n_spent)
    local value = call('HGET', month_name, 'k' .. key)
    if value then
      local requests, micro_usd = struct.unpack('>I4I8', value)
      n_requests, n_spent = math.max(n_requests, requests), math.max(n_spent, micro_usd)
    end
    keep(month_name, 'k' .. key, struct.pack('>I4I8', n_requests + n, n_spent + spent), month_ttl_s)
  end
  -- The month's units of a service, whose id comes in the place of a key's.
  local function add_units(month_name, account, service, n, n_units)
    local field = 'u' .. account .. ':' .. service
    local value = call('HGET', month_name, field)
    if value then n_units = math.max(n_units, (struct.unpack('>I8', value))) end
    keep(month_name, field, struct.pack('>I8', n_units + n), month_ttl_s)
  end
  -- A key's day and its account's month.
  local function add(kind, day_name, month_name, key, account, n, spent, n_day, n_requests, n_loads, n_spent)
    local today, this_month = call('HGET', day_name, key), call('HGET', month_name, account)
    if today then n_day = struct.unpack('>I4', today) end
    if this_month then n_requests, n_loads, n_spent = struct.unpack('>I4I4I8', this_month) end
    if kind == MAP_LOAD then n_loads = n_loads + n else n_requests = n_requests + n end
    keep(day_name, key, struct.pack('>I4', n_day + n), day_ttl_s)
    keep(month_name, account, struct.pack('>I4I4I8', n_requests, n_loads, n_spent + spent), month_ttl_s)
  end
  for at = 1, #packed, 69 do
    local kind, account, key, n, spent, day, month, n_day, n_requests, n_loads, n_spent =
      struct.unpack('>BI8I8I4I8I4I4I8I8I8I8', packed, at)
    key, account = string.format('%.0f', key), string.format('%.0f', account)
    local day_name, month_name = prefix .. 'day:' .. day, prefix .. 'month:' .. month
    if kind == KEY_MONTH then
      add_own(month_name, key, n, spent, n_requests, n_spent)
    elseif kind == UNITS then
      add_units(month_name, account, key, n, n_requests)
    else
      add(kind, day_name, month_name, key, account, n, spent, n_day, n_requests, n_loads, n_spent)
    end
  end
end

call('SET', position_key, ends_at, 'EX', KEPT_S)
if was_counted(ARGV[4], tonumber(ARGV[5])) then return 'counted' end
charge(ARGV[9])
local n_said = call('INCRBY', prefix .. 'said', ARGV[7])
call('XADD', KEYS[1], '*', 't', ARGV[6], 'n', string.format('%.0f', n_said - ARGV[7]), 'e', ARGV[8],
  'r', ARGV[4] == '' and 'sure' or 'unsure')
return 'done'
