-- login.lua - logins for wrk. SPDX-License-Identifier: GPL-3.0-or-later
--
--   wrk -s login.lua URL -- BASIC
--
-- posts the credentials BASIC (base64). Prints one line of JSON at the end.

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Basic " .. args[1]
  wrk.body = '{"backend": "users_file", "expiration": 60}'
  local formatted = wrk.format(nil, "/0.1/token")
  request = function() return formatted end
end

function done(summary, latency, _requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "failed": %d, "p50_ms": %.4f,' ..
    ' "p99_ms": %.4f}\n', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
