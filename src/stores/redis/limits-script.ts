import { type RedisScript, redisScript } from './redis-client.js';

/**
 * The shared count, in one script, so that looking and spending are one step for all processes.
 *
 * KEYS[1] the venue's state, in whose hash slot everything lies; ARGV[1] what to do, as JSON:
 * `{ fresh, known, me, seen, settle: [{ do: 'sent' | 'release', costs }], observe: [...], ask: [{ costs }], held }`.
 * A cost is `{ k: counter, u: units, c: ceiling, kind, cap, per | decay, limit }`. Times are the server's.
 *
 * A window counter is a set of sends by time (`:z`) with their units (`:u`), and a sum. Units that are
 * set aside are kept by process (`:h`), so that those of a process that has died are found.
 *
 * What a Redis that was restarted knows may be less than what was sent: windows then count as full
 * until whatever was sent before is certainly outside of them. It is known by the server's run id, by
 * the id that the state was given when it was made, and by what processes that were there before know.
 */
export const LIMITS_SCRIPT: RedisScript = redisScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + t[2] / 1000
local q = cjson.decode(ARGV[1])
local state = KEYS[1]
local info = redis.call('INFO', 'server')
local run = string.match(info, 'run_id:(%w+)')
local m = redis.call('HMGET', state, 'id', 'run', 'lost', 'wait', 'ban')
local id, lost, wait = m[1], tonumber(m[3] or '-1'), tonumber(m[4] or '0')
if not id then
  id = q.fresh
  -- A server that has just started may have known more: those who were there before get a moment to say so.
  if tonumber(string.match(info, 'uptime_in_seconds:(%d+)')) < 10 then wait = now + 1000 end
  if q.known ~= '' then lost = now end
  redis.call('HSET', state, 'id', id, 'run', run, 'lost', lost, 'wait', wait)
elseif m[2] ~= run or (q.known ~= '' and q.known ~= id) then
  lost = now
  redis.call('HSET', state, 'run', run, 'lost', lost)
end
redis.call('ZADD', state .. ':alive', now, q.me)

local function number(key, field) return tonumber(redis.call('HGET', key, field) or '0') end
local function expire(c)
  local before = now - c.per
  while true do
    local gone = redis.call('ZRANGEBYSCORE', c.k .. ':z', '-inf', before, 'LIMIT', 0, 500)
    if #gone == 0 then return end
    local units = 0
    for _, bucket in ipairs(gone) do
      units = units + tonumber(redis.call('HGET', c.k .. ':u', bucket) or '0')
      redis.call('HDEL', c.k .. ':u', bucket)
      redis.call('ZREM', c.k .. ':z', bucket)
    end
    redis.call('HINCRBYFLOAT', c.k, 'sum', -units)
  end
end
local function level(c)
  local l = math.max(0, number(c.k, 'level') - (now - number(c.k, 'at')) * c.decay / 1000)
  if lost >= 0 then l = math.max(l, c.cap - (now - lost) * c.decay / 1000) end
  return l
end
local function used(c)
  local held = number(c.k, 'held')
  if c.kind == 'decay' then return level(c) + held end
  expire(c)
  local others = 0
  if number(c.k, 'othersUntil') > now then others = number(c.k, 'others') end
  return number(c.k, 'sum') + others + held
end
local function keep(c)
  redis.call('SADD', state .. ':counters', c.k)
  local ms = math.ceil(3600000 + (c.per or 0))
  for _, suffix in ipairs({ '', ':z', ':u', ':h' }) do redis.call('PEXPIRE', c.k .. suffix, ms) end
end
local function add(c)
  if c.kind == 'decay' then redis.call('HSET', c.k, 'level', level(c) + c.u, 'at', now)
  else
    -- Many sends of a large limit are counted together, at the time of the last.
    local bucket
    if c.cap > 1024 then bucket = math.floor(now / (c.per / 1024)) else bucket = redis.call('HINCRBY', c.k, 'n', 1) end
    redis.call('ZADD', c.k .. ':z', now, bucket)
    redis.call('HINCRBYFLOAT', c.k .. ':u', bucket, c.u)
    redis.call('HINCRBYFLOAT', c.k, 'sum', c.u)
  end
end
local function hold(c, who, units)
  redis.call('HINCRBYFLOAT', c.k .. ':h', who, units)
  redis.call('HINCRBYFLOAT', c.k, 'held', units)
end
local function unhold(c, who)
  local units = math.min(c.u, number(c.k .. ':h', who))
  if units > 0 then hold(c, who, -units) end
end

for _, step in ipairs(q.settle) do
  for _, c in ipairs(step.costs) do
    unhold(c, q.me)
    if step['do'] == 'sent' then add(c) end
    keep(c)
  end
end
for _, o in ipairs(q.observe) do
  if o.forMs then
    local field = 'ban'
    if o.limit then field = 'b:' .. o.limit end
    redis.call('HSET', state, field, math.max(number(state, field), now + o.forMs))
  end
  if o.c and o.used then
    -- What the venue counts and we don't, somebody else has sent.
    local c = o.c
    if c.kind == 'decay' then
      if o.used > level(c) then redis.call('HSET', c.k, 'level', o.used, 'at', now) end
    else
      expire(c)
      local sum = number(c.k, 'sum')
      local others = 0
      if number(c.k, 'othersUntil') > now then others = number(c.k, 'others') end
      if o.used > sum + others then redis.call('HSET', c.k, 'others', o.used - sum, 'othersUntil', now + math.min(o.resetMs or c.per, c.per)) end
    end
    keep(c)
  end
end

-- With each sign of life: units of processes that have not been heard of for long may have been sent at any moment until now.
if q.tidy then
  local dead = redis.call('ZRANGEBYSCORE', state .. ':alive', '-inf', now - 30000)
  for _, who in ipairs(dead) do
    for _, k in ipairs(redis.call('SMEMBERS', state .. ':counters')) do
      local units = number(k .. ':h', who)
      if units > 0 then
        local c = q.counters[k]
        if c then
          c.u = units
          hold(c, who, -units)
          add(c)
        end
      end
    end
    redis.call('ZREM', state .. ':alive', who)
  end
  -- What this process holds in truth: an answer that was lost must not hold units for ever.
  if q.held then
    for k, c in pairs(q.counters) do
      local there, here = number(k .. ':h', q.me), q.held[k] or 0
      if there ~= here then hold(c, q.me, here - there) end
    end
  end
end

local function roomAt(c, before)
  local excess = used(c) + before + c.u - c.c
  if excess <= 0 then return now end
  if c.kind == 'decay' then return now + math.max(1, math.ceil(excess * 1000 / c.decay)) end
  local othersUntil, others = number(c.k, 'othersUntil'), number(c.k, 'others')
  if othersUntil > now and others >= excess then return math.min(othersUntil, now + 1000) end
  local from = 0
  while from < 2000 do
    local page = redis.call('ZRANGE', c.k .. ':z', from, from + 99, 'WITHSCORES')
    if #page == 0 then break end
    for i = 1, #page, 2 do
      excess = excess - tonumber(redis.call('HGET', c.k .. ':u', page[i]) or '0')
      if excess <= 0 then return tonumber(page[i + 1]) + c.per end
    end
    from = from + 100
  end
  return now + 20
end

local ban = math.max(number(state, 'ban'), wait)
local answers = {}
local claimed = {}
for i, ask in ipairs(q.ask) do
  local at = math.max(now, ban)
  local taken = {}
  for _, c in ipairs(ask.costs) do
    at = math.max(at, number(state, 'b:' .. c.limit))
    if c.kind == 'window' and lost >= 0 then at = math.max(at, lost + c.per) end
    if claimed[c.k] then at = math.max(at, claimed[c.k]) end
    at = math.max(at, roomAt(c, taken[c.k] or 0))
    taken[c.k] = (taken[c.k] or 0) + c.u
  end
  if at <= now then
    for _, c in ipairs(ask.costs) do
      hold(c, q.me, c.u)
      keep(c)
    end
    answers[i] = '0'
  else
    answers[i] = tostring(math.max(1, math.ceil(at - now)))
    -- Whoever comes after in this process must not slip past.
    for _, c in ipairs(ask.costs) do claimed[c.k] = at end
  end
end
return { id, tostring(redis.call('ZCOUNT', state .. ':alive', now - 5000, '+inf')), answers }
`);
