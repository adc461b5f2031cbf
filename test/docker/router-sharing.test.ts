import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { shareHost, shareProbe, type SharedEnd, type ShareEntrance } from '../../src/domain/share.ts'
import { until } from '../../src/lib/poll.ts'
import { probeTls } from '../../src/lib/tls-probe.ts'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { listRevoked, serialOf } from '../../src/lib/x509/revoke.ts'
import type { RouterOptions } from '../../src/router/router.ts'
import type { AppRoutes, Server, Way } from '../../src/router/route-table.ts'
import { backend, control, freePort, local, startEcho, startRouter, webApp } from '../support/routers.ts'

const run = promisify(execFile)
const day = 86_400_000
const from = new Date(Date.now() - 2 * day)
const until60 = new Date(Date.now() + 60 * day)
const authority = await createAuthority({ name: 'Rack test', from, until: until60 })
const patience = { deadlineMs: 60_000, intervalMs: 25 }

const certificateFor = async (id: string, { end = until60, by = authority } = {}) => {
  const names = [shareHost(id)]
  const issued = await issueCertificate({ authority: by, names, from, until: end, usages: ['client'] })
  return { serial: serialOf(issued), certificate: issued.certificate + issued.key }
}

async function entranceAt(port: number, revoked: string[] = []): Promise<ShareEntrance> {
  const names = ['*.shares.internal']
  const own = await issueCertificate({ authority, names, from, until: until60, usages: ['server'] })
  return {
    bind: local,
    port,
    certificate: own.certificate + own.key,
    authority: authority.certificate,
    revoked: listRevoked(
      authority,
      revoked.map((serial) => ({ serial, since: new Date() })),
    ),
  }
}

function sharesOf(ids: string[], server: Server, allow: string[] = []): AppRoutes {
  const shares = ids.map((id) => ({
    id,
    allow,
    type: 'echo',
    port: server.port,
    backend: { ...backend([server]), check: { kind: 'none' as const } },
  }))
  return { app: '_main', http: [], tcp: [], shares }
}

/** A rack's router that shares an echo with whoever holds these ids. */
async function startNear(t: TestContext, ids: string[], options: Partial<RouterOptions> = {}) {
  const echo = await startEcho(t)
  const place = await startRouter(t, options)
  const port = await freePort()
  const entrance = await entranceAt(port)
  await place.router.apply('_main', sharesOf(ids, echo), control)
  await place.router.admit(entrance, control)
  return { ...place, echo, port, entrance }
}

/** The other rack's, with an address at which it listens for its own machine. */
async function startFar(t: TestContext, ends: SharedEnd[]) {
  const range = `198.19.${200 + (process.pid % 50)}`
  await run('ip', ['route', 'replace', 'local', `${range}.0/24`, 'dev', 'lo', 'table', 'main'])
  t.after(() => run('ip', ['route', 'delete', 'local', `${range}.0/24`, 'dev', 'lo', 'table', 'main']))
  const place = await startRouter(t)
  const port = await freePort()
  const ways = ends.map((end, at): Way => {
    const address = `${range}.${at + 2}`
    // The machine itself comes from where it goes to.
    return { owner: 'shop', id: end.id, address, port, subnet: `${address}/32`, end }
  })
  await place.router.lead('shop', ways, control)
  return { ...place, ways }
}

const endOf = (id: string, port: number, certificate: string): SharedEnd => ({
  id,
  host: local,
  port,
  authority: authority.certificate,
  certificate,
})

/** Connects, says something and waits for its echo; null where the connection was ended instead. */
async function talk(address: string, port: number, localAddress?: string): Promise<Socket | null> {
  const socket = connect({ host: address, port, ...(localAddress && { localAddress }) })
  socket.on('error', () => undefined)
  socket.write('hello')
  const [said] = await Promise.race([
    once(socket, 'data').catch(() => [null]),
    once(socket, 'close').then(() => [null]),
  ])
  return said === null ? null : socket
}

async function untilTalked(way: Way): Promise<Socket> {
  const look = async () => await talk(way.address, way.port)
  return await until(look, { ...patience, what: 'the other rack to answer' })
}

describe('routers that share', { timeout: 180_000 }, () => {
  test('lead from one rack to the other, each by its own certificate', async (t) => {
    const [office, branch] = ['SAAAAAAAAAA', 'SBBBBBBBBBB']
    const near = await startNear(t, [office, branch])
    const { certificate } = await certificateFor(office)
    // One share's certificate does not open another.
    const ends = [endOf(office, near.port, certificate), endOf(branch, near.port, certificate)]
    const far = await startFar(t, ends)
    const [own, others] = far.ways as [Way, Way]
    ;(await untilTalked(own)).destroy()
    assert.equal(await talk(others.address, others.port), null)
    assert.equal(await talk(own.address, own.port, others.address), null, 'from a stranger')
    // Not from where it is allowed.
    await near.router.apply('_main', sharesOf([office], near.echo, ['192.0.2.0/24']), control)
    await until(async () => (await talk(own.address, own.port)) === null, { ...patience, what: 'a refusal' })
  })

  test('end what is taken back, also in a worker that a reload replaced', async (t) => {
    const [office, branch] = ['SAAAAAAAAAA', 'SBBBBBBBBBB']
    const near = await startNear(t, [office, branch])
    const [mine, theirs] = [await certificateFor(office), await certificateFor(branch)]
    const ends = [endOf(office, near.port, mine.certificate), endOf(branch, near.port, theirs.certificate)]
    const far = await startFar(t, ends)
    const [own, others] = far.ways as [Way, Way]
    const [open, other] = [await untilTalked(own), await untilTalked(others)]
    // A new app reloads both routers, and the connection goes on in the workers of before.
    for (const { router } of [near, far]) await router.apply('blog', webApp('blog', []), control)
    open.write('still')
    await once(open, 'data')

    const closed = once(open, 'close')
    await near.router.admit(await entranceAt(near.port, [mine.serial]), control)
    await near.router.apply('_main', sharesOf([branch], near.echo), control)
    await closed
    other.write('still')
    await once(other, 'data')
    assert.equal(await talk(own.address, own.port), null)
    const asking = { ...endOf(office, near.port, mine.certificate), name: shareProbe }
    const signal = AbortSignal.timeout(30_000)
    assert.deepEqual(await probeTls(asking, { deadlineMs: 60_000, signal }), { is: 'revoked' })
    other.destroy()
  })

  test('follow what changes while they speak https too, and take another copy of what is shared', async (t) => {
    const id = 'SAAAAAAAAAA'
    const certificates = {
      kept: () => [],
      authorityId: async () => 'aa',
      issue: async (name: string) => {
        const asked = { authority, names: [name], from, until: until60, usages: ['server' as const] }
        const { certificate, key } = await issueCertificate(asked)
        return { chain: certificate, key }
      },
    }
    const near = await startNear(t, [id], { https: { port: await freePort(), certificates } })
    const { certificate } = await certificateFor(id)
    const far = await startFar(t, [endOf(id, near.port, certificate)])
    const [way] = far.ways as [Way]
    // Neither needs a reload.
    const other = { ...(await startEcho(t)), process: 'PEEEEEEEEEE' }
    await near.router.apply('_main', sharesOf([id], other), control)
    await near.router.ensureRunning(control)
    ;(await untilTalked(way)).destroy()
  })

  test('say why they do not let one in', async (t) => {
    const id = 'SAAAAAAAAAA'
    const near = await startNear(t, [id])
    const signal = AbortSignal.timeout(60_000)
    const ask = (certificate: string, port = near.port, own = authority.certificate) =>
      probeTls(
        { ...endOf(id, port, certificate), authority: own, name: shareProbe },
        { deadlineMs: 60_000, signal },
      )
    const good = await certificateFor(id)
    assert.deepEqual(await ask(good.certificate), { is: 'there' })
    const late = await certificateFor(id, { end: new Date(Date.now() - day) })
    assert.deepEqual(await ask(late.certificate), { is: 'expired' })
    const other = await createAuthority({ name: 'Rack other', from, until: until60 })
    const stranger = await certificateFor(id, { by: other })
    assert.deepEqual(await ask(stranger.certificate), { is: 'untrusted' })
    assert.deepEqual(await ask(good.certificate, near.port, other.certificate), { is: 'untrusted' })
    const nobody = await ask(good.certificate, await freePort())
    assert.deepEqual(nobody, { is: 'silent', why: 'the connection is refused' })
    await near.router.admit(null, control)
    assert.deepEqual(await ask(good.certificate), { is: 'silent', why: 'the connection is refused' })
  })

  test('never let a caller hang while the other rack is away or silent', async (t) => {
    const id = 'SAAAAAAAAAA'
    // It takes connections, and says nothing.
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, local)
    await once(silent, 'listening')
    t.after(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const { certificate } = await certificateFor(id)
    const far = await startFar(t, [
      endOf(id, port, certificate),
      endOf('SBBBBBBBBBB', await freePort(), certificate),
    ])
    const [mute, away] = far.ways as [Way, Way]
    assert.equal(await talk(away.address, away.port), null)
    assert.equal(await talk(mute.address, mute.port), null)
  })

  test('keep a port that is not free out of the way of all else', async (t) => {
    const place = await startRouter(t)
    const other = createServer().listen(0, local)
    await once(other, 'listening')
    t.after(() => other.close())
    const { port } = other.address() as AddressInfo
    const refused = place.router.admit(await entranceAt(port), control)
    await assert.rejects(refused, { code: 'port-taken', message: /held by another program/ })
    assert.ok((await place.router.status(control)).isRunning)
  })
})
