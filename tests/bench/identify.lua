-- What wrk sends: identifies as Segment's libraries write them, each of another person, alone or in batches.
--
--     wrk … -s identify.lua URL -- AUTHORIZATION ROUND SIZE     SIZE 1 is for /v1/identify, more for /v1/batch
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "figures.lua")

-- 530 bytes. People come in no order, as they do, so that each touches the queue's indexes somewhere else.
local MESSAGE = '{"type":"identify","messageId":"node-next-1763967600000-%s","userId":"%s",'
  .. '"traits":{"email":"%s@example.com","firstName":"Ada","lastName":"Lovelace","company":"Analytical Engines",'
  .. '"phone":"+44 20 7946 0000","city":"London","country":"United Kingdom","plan":"pro"},'
  .. '"timestamp":"2026-11-24T06:00:00.000Z","integrations":{},'
  .. '"context":{"library":{"name":"@segment/analytics-node","version":"2.1.3"}},"_metadata":{"nodeVersion":"20.20.2"}}'

local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local round, size
local sent = 0

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Authorization"] = arguments[1]
  round = arguments[2]
  size = tonumber(arguments[3])
end

-- Odd multipliers lead each number to another one.
local function message()
  sent = sent + 1
  local person = string.format("%08x-%d-%s", sent * 0x9E3779B1 % 2^32, number, round)
  local account = string.format("%08x-%d-%s", sent * 0x85EBCA6B % 2^32, number, round)
  return string.format(MESSAGE, account, account, person)
end

function request()
  if size == 1 then
    return wrk.format(nil, nil, nil, message())
  end
  local messages = {}
  for i = 1, size do
    messages[i] = message()
  end
  return wrk.format(nil, nil, nil, '{"batch":[' .. table.concat(messages, ",") .. '],"sentAt":"2026-11-24T06:00:00.000Z"}')
end
