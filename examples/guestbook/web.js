import { createServer } from 'node:http'
import { hostname } from 'node:os'
import { readBook, writeEntry } from './entries.js'
import { renderPage } from './page.js'
import { Redis } from './redis.js'

const port = Number(process.env.PORT ?? 3000)
const greeting = process.env.GREETING ?? 'Glad you came by'
const release = process.env.RELEASE ?? 'dev'
const longestBody = 8 * 1024

const redis = new Redis(process.env.REDIS_URL ?? 'redis://redis:6379')
let isStopping = false

const routes = {
  'GET /': showBook,
  'POST /entries': addEntry,
  'GET /health': (_, response) => reply(response, 200, 'ok\n'),
  'GET /version': (_, response) => reply(response, 200, `${release}\n`),
}

const server = createServer(async (request, response) => {
  if (isStopping) response.setHeader('connection', 'close')
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = routes[`${method} ${request.url.split('?')[0]}`]
  try {
    if (route) await route(request, response)
    else reply(response, 404, 'There is no such page.\n')
  } catch (error) {
    console.error(`${request.method} ${request.url}: ${error.message}`)
    reply(response, error.status ?? 503, `${error.message}\n`)
  }
})

// Longer than the router keeps an idle connection, so that the router, not this end, closes it.
server.keepAliveTimeout = 75_000
process.once('SIGTERM', stop).once('SIGINT', stop)

// Healthy means: Redis has been reached once. Later absences are waited out by each request, so that the page stays.
await redis.send('PING')
if (!isStopping) server.listen(port, () => console.log(`web of release ${release} listens on ${port}`))

async function showBook(_, response) {
  const book = await readBook(redis)
  const page = renderPage({ ...book, greeting, release, host: hostname() })
  reply(response, 200, page, 'text/html; charset=utf-8')
}

async function addEntry(request, response) {
  const form = new URLSearchParams(await readBody(request))
  const name = (form.get('name') ?? '').trim().slice(0, 60) || 'Somebody'
  const message = (form.get('message') ?? '').trim().slice(0, 1000)
  if (!message) throw problem(400, 'Please write something first.')
  await writeEntry(redis, { name, message })
  response.setHeader('location', '/')
  reply(response, 303, 'Thank you.\n')
}

async function readBody(request) {
  const chunks = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > longestBody) throw problem(413, 'That is a whole book. Please write less.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function problem(status, message) {
  return Object.assign(new Error(message), { status })
}

function reply(response, status, body, type = 'text/plain; charset=utf-8') {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
  })
  response.end(body)
}

/** Answers what has begun, takes nothing new, and ends. */
function stop() {
  isStopping = true
  server.close(() => redis.close())
  setTimeout(() => process.exit(0), 8_000).unref()
}
