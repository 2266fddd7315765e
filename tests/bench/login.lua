-- login.lua - logins for wrk. SPDX-License-Identifier: GPL-3.0-or-later
--
--   wrk -s login.lua URL -- BASIC [BACKEND]
--
-- posts the credentials BASIC (base64), for users_file if no other backend is
-- named. Prints one line of JSON at the end.

dofile(debug.getinfo(1, "S").source:match("^@(.-)[^/]*$") .. "report.lua")

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = "Basic " .. args[1]
  wrk.body = '{"backend": "' .. (args[2] or "users_file") ..
    '", "expiration": 60}'
  local formatted = wrk.format(nil, "/0.1/token")
  request = function() return formatted end
end
