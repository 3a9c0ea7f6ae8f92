-- For wrk: asks for one short link after the other and counts the answers with status 302.
--
-- `wrk .. -s cycle.lua URL -- CODES_FILE QUIET_AFTER_S`: after that many seconds no request is begun,
-- so that wrk, which drops what is in flight when its time is up, has then counted every answer.

local threads = {}

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  -- A person's browser: what says nothing about itself is counted as a bot.
  wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
  paths = {}
  for line in io.lines(args[1]) do
    paths[#paths + 1] = wrk.format("GET", line)
  end
  next_path = number * 7919
  quiet_at = os.time() + tonumber(args[2])
  sent, redirected, other = 0, 0, 0
end

function delay()
  if os.time() >= quiet_at then
    return 3600000
  end
  return 0
end

function request()
  next_path = next_path + 1
  sent = sent + 1
  return paths[next_path % #paths + 1]
end

function response(status)
  if status == 302 then
    redirected = redirected + 1
  else
    other = other + 1
  end
end

function done(summary, latency)
  local total, others = 0, 0
  for _, thread in ipairs(threads) do
    total = total + thread:get("redirected")
    others = others + thread:get("other")
  end
  local errors = summary.errors
  io.write(string.format(
    '\nRESULT {"redirected": %d, "other": %d, "connect": %d, "read": %d, "write": %d, "timeout": %d, "p50_us": %d, "p99_us": %d}\n',
    total, others, errors.connect, errors.read, errors.write, errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
