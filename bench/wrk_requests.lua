-- For wrk: sends the requests of a file in turn, and says in JSON what came of it.
-- wrk -s wrk_requests.lua URL -- FILE FIRST COUNTS
--   FILE    requests one after the other, each ending with an empty line
--   FIRST   which of them is the first
--   COUNTS  1: count the answers by status, which costs wrk a good part of its pace; 0: do not

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

local requests, at = {}, 0
statuses = {}

function init(arguments)
  local file = assert(io.open(arguments[1], 'rb'))
  for text in file:read('*a'):gmatch('.-\r\n\r\n') do
    requests[#requests + 1] = text
  end
  file:close()
  at = tonumber(arguments[2])
  if arguments[3] == '1' then
    function response(status)
      statuses[status] = (statuses[status] or 0) + 1
    end
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors, counted = summary.errors, {}
  for status, n in pairs(threads[1]:get('statuses')) do
    counted[#counted + 1] = string.format('"%d": %d', status, n)
  end
  print(string.format(
    '{"n": %d, "duration_us": %d, "n_refused": %d, "n_failed": %d, "p50_us": %d, "p99_us": %d, "statuses": {%s}}',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99), table.concat(counted, ', ')
  ))
end
