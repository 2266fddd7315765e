-- guard.lua - bearers before a guarded location, for wrk. SPDX-License-Identifier: GPL-3.0-or-later
--
--   wrk -s guard.lua URL -- METHOD FILE FIRST COUNT PATH
--
-- asks METHOD PATH with one of COUNT lines of FILE from line FIRST on as
-- X-Auth-Token, at random. Prints one line of JSON at the end.

dofile(debug.getinfo(1, "S").source:match("^@(.-)[^/]*$") .. "report.lua")

local LINE = 37       -- a UUID and its newline
local SAMPLE = 100000 -- requests made beforehand, so that wrk costs little
local requests = {}
local last, total = 0, 0

function init(args)
  local first, count = tonumber(args[3]), tonumber(args[4])
  local file = assert(io.open(args[2], "rb"))
  file:seek("set", first * LINE)
  local tokens = file:read(count * LINE)
  file:close()
  math.randomseed(os.time())
  for i = 1, SAMPLE do
    local at = math.random(0, count - 1) * LINE
    requests[i] = args[1] .. " " .. args[5] ..
      " HTTP/1.1\r\nHost: localhost\r\nX-Auth-Token: " ..
      tokens:sub(at + 1, at + LINE - 1) .. "\r\n\r\n"
  end
  total = #requests
end

function request()
  last = last % total + 1
  return requests[last]
end
