// The gate's work in node: keys and compiled patterns in memory, one Redis script for each request.
// PORT, KEYS_FILE, SCRIPT_FILE and REDIS_SOCKET come from the environment.
'use strict'

const { readFileSync } = require('node:fs')
const { randomUUID } = require('node:crypto')
const fastify = require('fastify')
const { Redis } = require('ioredis')

const { PORT, KEYS_FILE, SCRIPT_FILE, REDIS_SOCKET } = process.env
const WINDOW_US = 1_000_000
const PRICE = 5_000
const ALLOWANCE = 1e15
const REFUSALS = {
  2: [403, 'KEY_INVALID'], 6: [403, 'KEY_TYPE'], 7: [403, 'ORIGIN_NOT_ALLOWED'], 8: [429, 'RATE_LIMIT'],
  9: [429, 'DAILY_QUOTA'], 10: [429, 'MONTHLY_QUOTA'], 11: [429, 'CREDIT_EXHAUSTED']
}

// Calls of one tick go out together.
const store = new Redis({ path: REDIS_SOCKET, enableAutoPipelining: true })
store.defineCommand('countOne', { numberOfKeys: 5, lua: readFileSync(SCRIPT_FILE, 'utf8') })

const regexOf = pattern => {
  const host = pattern.slice('http*://'.length, -2).replaceAll('.', '\\.').replaceAll('*', '[^/:]+')
  return new RegExp(`^https?://${host}/`)
}
const keys = new Map(JSON.parse(readFileSync(KEYS_FILE, 'utf8')).map(
  key => [key.text, { ...key, regexes: key.patterns.map(regexOf) }]
))

const refusedBefore = (key, path, origin) => {
  if (path.toLowerCase() !== '/v2/geocode') return 6
  return key.regexes.some(regex => regex.test(origin)) ? 0 : 7
}

const app = fastify({ logger: false })

app.get('/*', async (request, reply) => {
  const headers = request.headers
  const [path, query] = (headers['x-original-uri'] ?? '').split('?')
  const key = keys.get(new URLSearchParams(query).get('api_key'))
  const requestId = randomUUID()
  reply.header('X-Request-Id', requestId).header('Access-Control-Allow-Origin', '*')
  let outcome = 2
  if (key !== undefined) {
    const [ip, origin] = [headers['x-forwarded-for'] ?? request.ip, headers.referer ?? '']
    const day = new Date().toISOString().slice(0, 10)
    const month = `${key.account_id}:${day.slice(0, 7)}`
    const event = [key.account_id, key.key_id, 6, 1, PRICE, ip, origin, requestId].join('\t')
    const [counted, leftRate, leftDay] = await store.countOne(
      `peer:r:${key.key_id}:${ip}`, `peer:d:${key.key_id}:${day}`, `peer:m:${month}`, `peer:c:${month}`, 'peer:fastify',
      refusedBefore(key, path, origin), key.rate_limit, WINDOW_US, key.requests_per_day, key.requests_per_month,
      PRICE, ALLOWANCE, event
    )
    outcome = counted
    reply.header('RateLimit', `"rate";r=${leftRate};t=1, "day";r=${leftDay};t=86400`)
  }
  if (outcome === 0) return reply.header('X-Account-Id', key.account_id).header('X-Key-Id', key.key_id).send('')
  const [status, code] = REFUSALS[outcome]
  return reply.code(status).send({ message: 'Refused.', code, request_id: requestId })
})

app.listen({ port: Number(PORT), host: '127.0.0.1' })
