-- ask.lua - random tokens for wrk. SPDX-License-Identifier: GPL-3.0-or-later
--
--   wrk -s ask.lua URL -- METHOD FILE FIRST COUNT QUERY
--
-- asks METHOD /0.1/token/TOKEN QUERY, with TOKEN one of COUNT lines of FILE
-- from line FIRST on, at random; DELETE takes one after the other. One thread
-- of wrk is meant. Prints one line of JSON at the end.

dofile(debug.getinfo(1, "S").source:match("^@(.-)[^/]*$") .. "report.lua")

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local LINE = 37       -- a UUID and its newline
local SAMPLE = 100000 -- requests made beforehand, so that wrk costs little
local requests = {}
local last, total = 0, 0

function init(args)
  local method, query = args[1], args[5] or ""
  local first, count = tonumber(args[3]), tonumber(args[4])
  local file = assert(io.open(args[2], "rb"))
  file:seek("set", first * LINE)
  local tokens = file:read(count * LINE)
  file:close()
  local in_turn = method == "DELETE"
  math.randomseed(os.time() + number * 7919)
  for i = 1, in_turn and count or SAMPLE do
    local at = (in_turn and i - 1 or math.random(0, count - 1)) * LINE
    requests[i] = method .. " /0.1/token/" ..
      tokens:sub(at + 1, at + LINE - 1) .. query ..
      " HTTP/1.1\r\nHost: localhost\r\n\r\n"
  end
  total = #requests
end

function request()
  last = last % total + 1
  return requests[last]
end
