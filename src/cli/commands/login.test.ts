import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:tls'
import { test, type TestContext } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'
import { createClient } from '../../client/client.ts'
import { createAuthority, issueCertificate, type Issued } from '../../lib/x509/issue.ts'

const day = 86_400_000
const inDays = (count: number) => new Date(Date.now() + count * day)
const authority = await createAuthority({ name: 'Rack test', from: inDays(-800), until: inDays(800) })

/** As a machine meets it whose clock is ahead, or behind. */
async function startTls(t: TestContext, from: number, until: number) {
  const span = { from: inDays(from), until: inDays(until) }
  const issued = await issueCertificate({ authority, names: ['localhost'], ...span, usages: ['server'] })
  return await serve(t, issued)
}

async function serve(t: TestContext, { certificate, key }: Issued) {
  const heard: Buffer[] = []
  const server = createServer({ cert: certificate + authority.certificate, key }, (socket) => {
    socket.on('error', () => undefined).on('data', (piece: Buffer) => heard.push(piece))
  })
  server.on('tlsClientError', () => undefined).listen(0, 'localhost')
  await once(server, 'listening')
  t.after(() => server.close())
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, heard }
}

for (const [what, from, until, why] of [
  ['has expired', -30, -1, /has expired by the clock of this machine \(2/],
  ['does not hold yet', 1, 30, /does not hold yet by the clock of this machine \(2/],
] as const)
  test(`a certificate that ${what} is told as that, and sent nothing, whatever is agreed to`, async (t) => {
    const { url, heard } = await startTls(t, from, until)
    const { fingerprint256 } = new X509Certificate(authority.certificate)
    const login = ['login', url, '--token-stdin']
    for (const args of [login, [...login, '--fingerprint', fingerprint256]]) {
      const { code, stderr } = await typeCommand(args, { input: [Buffer.from('rack_x')] })
      assert.equal(code, 1)
      assert.match(stderr, why)
      assert.match(stderr, /→ Is that the time \(date\)\?/)
    }
    const client = createClient({ url, token: 'rack_x', pinned: authority.certificate })
    await assert.rejects(client.getRack(), { code: 'untrusted', message: why })
    assert.equal(heard.length, 0)
  })

test('a token that holds an end of line in its middle is sent nowhere, and one at its end is none of it', async () => {
  const [broken, ended] = await Promise.all(
    ['rack_a\nb', 'wrong\n'].map(async (token) => {
      return await typeCommand(['apps'], { rack: {}, env: { RACK_TOKEN: token } })
    }),
  )
  assert.match(
    broken!.stderr,
    /^error: the token is damaged: it holds blanks or control characters\n→ rack login/,
  )
  assert.deepEqual(broken!.requests, [])
  assert.match(ended!.stderr, /^error: this rack does not know the token/)
})
