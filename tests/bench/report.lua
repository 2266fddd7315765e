-- report.lua - what wrk measured. SPDX-License-Identifier: GPL-3.0-or-later
--
-- One line of JSON at the end; for the scripts of wrk beside this one.

function done(summary, latency, _requests)
  local e = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "failed": %d, "p50_ms": %.4f,' ..
    ' "p99_ms": %.4f}\n', summary.requests, summary.duration / 1e6,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
