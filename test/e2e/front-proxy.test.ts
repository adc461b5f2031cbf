import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { installRack } from '../support/installed-rack.ts'
import { makeSource, webFiles } from '../support/source.ts'

/** The status of an answer to a request that comes from one address, and says that it is another's. */
async function statusOf(port: number, localAddress: string, forwardedFor: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const headers = { host: 'desk.localhost', 'x-forwarded-for': forwardedFor }
  request({ host: '127.0.0.1', port, localAddress, headers, agent: false }, resolve).on('error', reject).end()
  const response = await promise
  response.resume()
  return response.statusCode ?? 0
}

test('a rack believes the proxies that it was installed with, and tells what its router has open', async () => {
  const size = ['--cpu', '1024', '--memory', '1024M']
  await using rack = await installRack([...size, '--trusted-proxies', '127.0.0.8,127.0.9.0/24'])
  const labels = '      rack.allow: 203.0.113.7\n'
  await using source = await makeSource(webFiles('hello', { labels }))
  await rack.run('deploy', '--app', 'desk', source.path)
  assert.equal(await statusOf(rack.httpPort, '127.0.0.8', '203.0.113.7'), 200)
  assert.equal(await statusOf(rack.httpPort, '127.0.0.8', '203.0.113.7, 127.0.9.1'), 200)
  assert.equal(await statusOf(rack.httpPort, '127.0.0.8', '203.0.113.8'), 403)
  assert.equal(await statusOf(rack.httpPort, '127.0.0.9', '203.0.113.7'), 403)

  const { router } = await rack.json<{
    router: { pid: number; load: { connections: number; shares: { connections: number }; apps: object } }
  }>('status')
  assert.deepEqual(router.load.apps, { desk: { underWay: 0, refused: 0 } })
  const told = new RegExp(
    `^router +process ${router.pid}, \\d+ of ${router.load.shares.connections} connections$`,
    'm',
  )
  assert.match(await rack.run('status'), told)

  // Another one, without an interruption.
  const path = join(rack.directory, 'rack.json')
  const installation = JSON.parse(await readFile(path, 'utf8')) as { http: { trustedProxies: string[] } }
  installation.http.trustedProxies = ['127.0.0.9']
  await writeFile(path, JSON.stringify(installation))
  await rack.run('stop', '--keep-router')
  assert.equal(await statusOf(rack.httpPort, '127.0.0.8', '203.0.113.7'), 200)
  await rack.run('start')
  assert.equal(await statusOf(rack.httpPort, '127.0.0.8', '203.0.113.7'), 403)
  assert.equal(await statusOf(rack.httpPort, '127.0.0.9', '203.0.113.7'), 200)
})
