-- ask.lua - random tokens for wrk. SPDX-License-Identifier: GPL-3.0-or-later
--
--   wrk -s ask.lua URL -- METHOD FILE FIRST COUNT QUERY
--
-- asks METHOD /0.1/token/TOKEN QUERY, with TOKEN one of COUNT lines of FILE
-- from line FIRST on. DELETE takes one after the other, each thread its own
-- share. Prints one line of JSON at the end.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

local LINE = 37 -- a UUID and its newline
local tokens, first, count, head, tail
local serial = 0

function init(args)
  local file = assert(io.open(args[2], "rb"))
  first, count = tonumber(args[3]), tonumber(args[4])
  file:seek("set", first * LINE)
  tokens = file:read(count * LINE)
  file:close()
  head = args[1] .. " /0.1/token/"
  tail = (args[5] or "") .. " HTTP/1.1\r\nHost: localhost\r\n\r\n"
  serial = args[1] == "DELETE" and 0 or -1
  math.randomseed(os.time() + number * 7919)
end

function request()
  local at
  if serial >= 0 then
    at = serial
    serial = (serial + 1) % count
  else
    at = math.random(0, count - 1)
  end
  at = at * LINE
  return head .. tokens:sub(at + 1, at + LINE - 1) .. tail
end

function done(summary, latency, _requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "failed": %d, "p50_ms": %.4f,' ..
    ' "p99_ms": %.4f}\n', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
