import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { until } from '../../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { startTlsLoad } from '../support/tls-load.ts'
import { startPebble, type Instead, type Pebble } from '../support/pebble.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)
const host = 'shop.example.com'

let rack: InstalledRack
let pebble: Pebble
let httpsPort: number
let root: string
before(async () => {
  httpsPort = await freePort()
  rack = await installRack(['--https-port', String(httpsPort), '--cpu', '1024', '--memory', '1024M'])
  pebble = await startPebble(rack.httpPort)
  const home = rack.directory.replace(/\/rack$/, '')
  root = join(home, 'root.pem')
  await writeFile(root, pebble.root)
  await writeFile(join(home, 'directory.pem'), pebble.ca)
  await rack.run('certs', 'acme', '--directory', pebble.directory, '--ca', join(home, 'directory.pem'))
})
after(async () => {
  await rack?.[Symbol.asyncDispose]()
  await pebble?.[Symbol.asyncDispose]()
})

/** As somebody who believes the authority, and nobody else. */
async function visit(...more: string[]): Promise<string> {
  const resolve = [httpsPort, rack.httpPort].flatMap((port) => ['--resolve', `${host}:${port}:127.0.0.1`])
  const { stdout } = await run('curl', ['-sS', '--cacert', root, ...resolve, ...more])
  return stdout
}

interface Certificate {
  id: string
  fingerprint: string
  authority: string | null
}

async function another(than: string | null): Promise<Certificate> {
  const found = async () => {
    const [first, ...rest] = await rack.json<Certificate[]>('certs')
    return first && rest.length === 0 && first.id !== than && first
  }
  return await until(found, { deadlineMs: 60_000, intervalMs: 200, what: `another certificate than ${than}` })
}

test(
  'a domain has a certificate of the authority by itself, renewed under load, after a refusal and a kill',
  { timeout: 180_000 },
  async () => {
    const compose = [
      'services:',
      '  web:',
      '    image: busybox:1',
      '    command: sh -c "mkdir -p /www && echo hello > /www/index.html && exec httpd -f -p 3000 -h /www"',
      '    ports: ["80:3000"]',
      '    labels: { rack.allow: 10.9.9.9 }',
    ].join('\n')
    await using source = await makeSource({ 'docker-compose.yml': compose })
    await rack.run('deploy', source.path, '--app', 'shop')
    await rack.run('domains', 'add', host, '--app', 'shop')
    const first = await another(null)
    assert.equal(first.authority, pebble.directory)
    const url = `https://${host}:${httpsPort}/`
    assert.match(await visit(url), /may not use this app/, 'those who are kept out keep no authority out')
    await using open = await makeSource({ 'docker-compose.yml': compose.replace(/\n.*10\.9\.9\.9 }/, '') })
    await rack.run('deploy', open.path, '--app', 'shop')
    assert.equal(await visit(url), 'hello\n')
    const sent = await visit('-o', '/dev/null', '-w', '%{http_code}', `http://${host}:${rack.httpPort}/`)
    assert.equal(sent, '308', 'sent to https, where no authority is sent')

    const load = startTlsLoad({ port: httpsPort, host, ca: pebble.root })
    const renewed = await rack.json<Certificate>('certs', 'renew', host)
    await until(() => load.fingerprints.has(renewed.fingerprint), {
      deadlineMs: 20_000,
      what: 'the new certificate to be seen',
    })
    const { requests, failures } = await load.stop()
    assert.ok(load.fingerprints.has(first.fingerprint) && requests > 20, String(requests))
    assert.deepEqual(failures, [])

    const problem = { type: 'urn:ietf:params:acme:error:unauthorized', detail: 'no' }
    pebble.instead = (asked) => (asked === 'POST /order-plz' ? { status: 403, body: problem } : null)
    const refused = await rack.attempt(['certs', 'renew', host])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /is not this rack: no; what is shown holds until/)
    assert.match((await rack.attempt(['certs'])).stderr, /no new certificate for shop\.example\.com/)
    assert.match(
      (await rack.attempt(['doctor'])).stdout,
      /warn certificate +no new one for shop\.example\.com/,
    )
    assert.equal(await visit(url), 'hello\n')

    const stuck = Promise.withResolvers<void>()
    pebble.instead = async (asked) => {
      if (!asked.startsWith('POST /finalize-order/')) return null
      stuck.resolve()
      return await new Promise<Instead>(() => undefined)
    }
    const waiting = rack.attempt(['certs', 'renew', host])
    await stuck.promise
    const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
    process.kill(daemon.pid, 'SIGKILL')
    assert.notEqual((await waiting).code, 0)
    assert.equal(await visit(url), 'hello\n', 'what is shown needs no daemon')
    pebble.instead = () => null
    pebble.asked.length = 0
    await rack.run('start')
    await another(renewed.id)
    assert.ok(!pebble.asked.includes('POST /order-plz'), 'the order of before was gone on with')
    assert.equal(await visit(url), 'hello\n')
  },
)
