-- The Redis script, loaded once for each worker; `socket` and `source` are set when nginx starts.

local M = {}
local sha

function M.sha(store)
  if not sha then sha = assert(store:script('load', M.source)) end
  return sha
end

return M
