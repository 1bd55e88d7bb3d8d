-- What wrk sends: one request for a hash, again and again on each connection.
wrk.method = "POST"
wrk.body = '{"email":"friends@example.com"}'
wrk.headers["Content-Type"] = "text/plain"
wrk.headers["Origin"] = "https://www.example.com"

function done(summary, latency)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout + summary.errors.status
  io.write(string.format('{"perSecond":%f,"p50":%f,"p99":%f,"failed":%d}\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
