import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import type { Server } from '../../src/router/route-table.ts'
import { control, get, local, sendRaw, startCopy, startRouter, webApp } from '../support/routers.ts'
import type { Answer } from '../support/routers.ts'

const tellHead: Answer = (request: IncomingMessage, response) => {
  response.end(JSON.stringify({ url: request.url, headers: request.rawHeaders }))
}

/** What a copy was told, by the names of the headers in lower case; several lines of one name are joined. */
function headOf(reply: string): Record<string, string> {
  const { headers } = JSON.parse(reply.slice(reply.indexOf('{'), reply.lastIndexOf('}') + 1)) as {
    headers: string[]
  }
  const head: Record<string, string> = {}
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index]!.toLowerCase()
    head[name] = name in head ? `${head[name]}, ${headers[index + 1]}` : headers[index + 1]!
  }
  return head
}

const statusOf = (reply: string): number => Number(/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1])

describe('what a request says', { timeout: 300_000 }, () => {
  test('it names one host, in one way, or is refused', { timeout: 30_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', tellHead)
    await router.apply('shop', webApp('shop', [copy]), control)
    const ask = async (head: string, line = 'GET / HTTP/1.1') =>
      await sendRaw(httpPort, `${line}\r\n${head}Connection: close\r\n\r\n`)
    const good = {
      'shop.localhost': 'shop.localhost',
      'SHOP.localhost.': 'shop.localhost',
      [`Web.Shop.LocalHost.:${httpPort}`]: `web.shop.localhost:${httpPort}`,
    }
    for (const [host, seen] of Object.entries(good)) {
      const reply = await ask(`Host: ${host}\r\n`)
      assert.equal(statusOf(reply), 200, host)
      const head = headOf(reply)
      assert.deepEqual([head['host'], head['x-forwarded-host']], [seen, seen])
    }
    const bad = [
      'evil.example/x,shop.localhost',
      'shop.localhost,shop.localhost',
      'evil.example, shop.localhost',
      'user@shop.localhost',
      'shop.localhost/../x',
      'shop.localhost:80:80',
      'shop.localhost:x',
      'shop.localhost..',
      'shop localhost',
      '.shop.localhost',
      'shop.localhost?x',
      'shop.localhost#x',
      `${'a'.repeat(256)}.localhost`,
      '',
    ]
    for (const host of bad) assert.equal(statusOf(await ask(`Host: ${host}\r\n`)), 400, host)
    assert.equal(statusOf(await ask('')), 400)
    assert.equal(statusOf(await ask('', 'GET / HTTP/1.0')), 400)
    assert.equal(statusOf(await ask('Host: shop.localhost\r\nHost: evil.example\r\n')), 400)
    const other = 'GET http://evil.example/ HTTP/1.1'
    assert.equal(statusOf(await ask('Host: shop.localhost\r\n', other)), 400)
    assert.equal(statusOf(await ask('Host: [::1]:80\r\n')), 404)
    const { requests } = await router.counters('shop', control)
    assert.equal(requests, Object.keys(good).length)
  })

  test('no request hides in the body of another', { timeout: 60_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const seen: { url: string; client: string }[] = []
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', (request, response) => {
      seen.push({ url: request.url ?? '', client: String(request.headers['x-forwarded-for']) })
      request.resume().on('end', () => response.end(request.url))
    })
    await router.apply('shop', webApp('shop', [copy]), control)
    const hidden = 'GET /hidden HTTP/1.1\r\nHost: shop.localhost\r\n\r\n'
    const end = `0\r\n\r\n${hidden}`
    const long = `Content-Length: ${end.length}\r\n`
    const heads = [
      `${long}Transfer-Encoding: chunked\r\n`,
      `Transfer-Encoding: chunked\r\n${long}`,
      `${long}Content-Length: 5\r\n`,
      `Content-Length: 5, ${end.length}\r\n`,
      ...['+5', '-1', '5 5', '0x5', '', '99999999999999999999'].map((text) => `Content-Length: ${text}\r\n`),
      `${long}Transfer-Encoding : chunked\r\n`,
      `${long}Transfer-Encoding:\tchunked\r\n`,
      `${long}Transfer-Encoding: xchunked\r\n`,
      `${long}Transfer-Encoding: chunked, identity\r\n`,
      `${long}Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n`,
      `${long}Transfer-Encoding: CHUNKED\r\n`,
      `${long}Transfer-Encoding:\r\n chunked\r\n`,
      `${long}X: y\rTransfer-Encoding: chunked\r\n`,
      `${long}X: y\nTransfer-Encoding: chunked\r\n`,
      `${long}Transfer_Encoding: chunked\r\n`,
      `${long}Transfer-Encoding: chunked\0\r\n`,
    ]
    for (const [at, head] of heads.entries()) {
      const about = `Host: shop.localhost\r\nConnection: close\r\n${head}`
      await sendRaw(httpPort, `POST /${at} HTTP/1.1\r\n${about}\r\n${end}`)
      const { body } = await get(httpPort, 'shop.localhost', {}, { path: `/after-${at}` })
      assert.equal(body, `/after-${at}`, head)
    }
    for (const size of ['0x3', '3 ', '-3', '+3', '3\n', '10000000000000003', '']) {
      const body = `${size}\r\nabc\r\n${end}`
      const about = 'Host: shop.localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n'
      await sendRaw(httpPort, `POST /chunks HTTP/1.1\r\n${about}\r\n${body}`)
      assert.equal((await get(httpPort, 'shop.localhost', {}, { path: '/after' })).body, '/after', size)
    }
    assert.deepEqual(
      seen.filter(({ url, client }) => url === '/hidden' || client !== local),
      [],
    )
  })

  test('no spelling of a header passes for the word of the router', { timeout: 20_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', tellHead)
    await router.apply('shop', webApp('shop', [copy]), control)
    const forged = [
      'X-Forwarded-For',
      'X_Forwarded_For',
      'x-forwarded_for',
      'X_FORWARDED-Proto',
      'X.Forwarded.For',
    ]
      .concat(['X-Forwarded-User', 'X-Forwarded-Prefix', 'X-Real-IP', 'X_Real_IP', 'Forwarded', 'Proxy'])
      .map((name) => `${name}: 6.6.6.6\r\n`)
      .join('')
    const kept = 'X-Forward: kept\r\nApi_Key: kept\r\n'
    const connection = 'Connection: close, X-Forwarded-For, X-Forwarded-Host\r\n'
    const reply = await sendRaw(
      httpPort,
      `GET / HTTP/1.1\r\nHost: shop.localhost\r\n${forged}${kept}${connection}\r\n`,
    )
    assert.ok(!reply.includes('6.6.6.6'), reply)
    const head = headOf(reply)
    assert.equal(head['x-forwarded-for'], local)
    assert.deepEqual([head['x-forward'], head['api_key']], ['kept', 'kept'])
    assert.ok(!/forwarded/i.test(head['connection'] ?? ''), head['connection'])
    assert.deepEqual(
      Object.keys(head)
        .filter((name) => name.startsWith('x-forwarded'))
        .sort(),
      ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
    )
  })

  test('a connection is upgraded to a websocket, and to nothing else', { timeout: 20_000 }, async (t) => {
    const { router, httpPort } = await startRouter(t)
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', tellHead)
    await router.apply('shop', webApp('shop', [copy]), control)
    const ask = async (upgrade: string) => {
      const head = `Host: shop.localhost\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n${upgrade}`
      const socket = connect(httpPort, local).setEncoding('latin1')
      t.after(() => socket.destroy())
      socket.write(`GET / HTTP/1.1\r\n${head}\r\n`)
      const [reply] = (await once(socket, 'data')) as [string]
      assert.equal(statusOf(reply), 200)
      return headOf(reply)
    }
    const others = ['h2c', 'h2c, websocket', 'websocket, h2c', 'HTTP/2.0', 'TLS/1.0', 'tcp']
    for (const upgrade of others) {
      const head = await ask(`Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\n`)
      assert.equal(head['upgrade'], undefined, upgrade)
      assert.equal(head['http2-settings'], undefined)
      assert.ok(!/upgrade/i.test(head['connection'] ?? ''))
    }
    const twice = await ask('Connection: Upgrade\r\nUpgrade: h2c\r\nUpgrade: websocket\r\n')
    assert.equal(twice['upgrade'], undefined)
  })

  test('a trusted proxy is believed and extended; nobody else is', { timeout: 20_000 }, async (t) => {
    const trustedProxies = ['127.0.0.8', '127.0.9.0/24', '2001:db8::/32']
    const { router, httpPort } = await startRouter(t, { trustedProxies })
    const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', tellHead)
    await router.apply('shop', webApp('shop', [copy]), control)
    const allowed = webApp('desk', [copy], { allowedSources: ['203.0.113.7'] })
    await router.apply('desk', allowed, control)
    const said = {
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-user': 'ann',
    }
    const from = async (localAddress: string, forwardedFor: string, host = 'shop.localhost') =>
      await get(
        httpPort,
        host,
        { ...said, 'x-forwarded-for': forwardedFor, x_forwarded_for: '6.6.6.6' },
        { localAddress },
      )
    const believed = headOf((await from('127.0.0.8', '203.0.113.7')).body)
    assert.equal(believed['x-forwarded-for'], '203.0.113.7, 127.0.0.8')
    for (const [name, value] of Object.entries(said)) assert.equal(believed[name], value)
    assert.equal(believed['x-forwarded-port'], String(httpPort))
    assert.equal(believed['x_forwarded_for'], undefined)
    const stranger = headOf((await from('127.0.0.9', '203.0.113.7')).body)
    assert.equal(stranger['x-forwarded-for'], '127.0.0.9')
    assert.equal(stranger['x-forwarded-proto'], 'http')
    assert.equal(stranger['x-forwarded-user'], undefined)
    // The client is whom the last trusted proxy names; what stands before it anybody may have written.
    const ofDesk = async (localAddress: string, forwardedFor: string) =>
      (await from(localAddress, forwardedFor, 'desk.localhost')).status
    assert.equal(await ofDesk('127.0.0.8', '203.0.113.7'), 200)
    assert.equal(await ofDesk('127.0.0.8', '203.0.113.7, 127.0.9.4'), 200)
    assert.equal(await ofDesk('127.0.0.8', '198.51.100.1, 203.0.113.7, 127.0.0.8, 127.0.9.4'), 200)
    assert.equal(await ofDesk('127.0.0.8', '203.0.113.7, 198.51.100.1'), 403)
    assert.equal(await ofDesk('127.0.0.8', 'unknown'), 403)
    assert.equal(await ofDesk('127.0.0.9', '203.0.113.7'), 403)
  })

  test(
    'a sticky client, and the one that the PROXY protocol names, is who stands behind the proxy',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, { trustedProxies: [local] })
      const copies = await Promise.all(['PAAAAAAAAAA', 'PBBBBBBBBBB'].map((id) => startCopy(t, id, 'R1')))
      await router.apply('shop', webApp('shop', copies, { sticky: { by: 'source' } }), control)
      const meets = async (client: string) =>
        (await get(httpPort, 'shop.localhost', { 'x-forwarded-for': client })).body
      const clients = Array.from({ length: 30 }, (_, index) => `203.0.113.${index + 1}`)
      const met = await Promise.all(clients.map(meets))
      assert.deepEqual(new Set(met), new Set(copies.map(({ process: id }) => id)))
      assert.deepEqual(await Promise.all(clients.map(meets)), met)

      const server = createServer((socket) => {
        socket
          .on('error', () => undefined)
          .once('data', (chunk) => {
            const line = chunk.toString('latin1').split('\r\n')[0]!
            socket.end(
              `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${line.length}\r\n\r\n${line}`,
            )
          })
      }).listen(0, local)
      await once(server, 'listening')
      t.after(() => server.close())
      const told: Server = { ...copies[0]!, port: (server.address() as AddressInfo).port }
      await router.apply('told', webApp('told', [told], { sendsProxy: true }), control)
      const { body } = await get(httpPort, 'told.localhost', { 'x-forwarded-for': '203.0.113.7' })
      assert.match(body, /^PROXY TCP4 203\.0\.113\.7 /)
    },
  )

  test(
    'on one connection of a proxy every request is of its own client, over a reload too',
    { timeout: 20_000 },
    async (t) => {
      const { router, httpPort } = await startRouter(t, { trustedProxies: [local] })
      const copy = await startCopy(t, 'PAAAAAAAAAA', 'R1', tellHead)
      await router.apply('desk', webApp('desk', [copy], { allowedSources: ['203.0.113.7'] }), control)
      const socket = connect(httpPort, local).setEncoding('latin1')
      t.after(() => socket.destroy())
      const ask = async (client: string) => {
        socket.write(`GET / HTTP/1.1\r\nHost: desk.localhost\r\nX-Forwarded-For: ${client}\r\n\r\n`)
        const [reply] = (await once(socket, 'data')) as [string]
        return reply
      }
      assert.equal(headOf(await ask('203.0.113.7'))['x-forwarded-for'], `203.0.113.7, ${local}`)
      assert.equal(statusOf(await ask('203.0.113.8')), 403)
      assert.equal(statusOf(await ask('203.0.113.7')), 200)
      await router.apply('blog', webApp('blog', []), control)
      // The worker that was replaced hands the request on, with the proxy's word as it was.
      assert.equal(headOf(await ask('203.0.113.7'))['x-forwarded-for'], `203.0.113.7, ${local}`)
    },
  )
})
