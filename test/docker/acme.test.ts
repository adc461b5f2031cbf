import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { chmod, mkdtempDisposable, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test, type TestContext } from 'node:test'
import { startMemoryRack, tester } from '../support/memory-rack.ts'
import { startPebble, type Instead, type Pebble } from '../support/pebble.ts'
import type { CertificateOrder } from '../../src/domain/certificate-order.ts'
import { dnsHookOf } from '../../src/host/dns-hook.ts'
import { until } from '../../src/lib/poll.ts'
import { openOrders, type OrderKeeper } from '../../src/operations/acme/order-keeper.ts'
import { openCertificates } from '../../src/operations/certificates/certificate-keeper.ts'
import type { Host } from '../../src/operations/context.ts'
import type { OperationsParts } from '../../src/operations/create-operations.ts'
import { openDomains } from '../../src/operations/domains/domain-keeper.ts'

const name = 'shop.example.com'
const minutesAfter = (time: string, minutes: number) =>
  new Date(Date.parse(time) + minutes * 60_000).toISOString()

/** What is to be found at the paths of challenges, in place of a router: of the rack that is being tested. */
let answers: Pick<OrderKeeper, 'open'> = { open: () => [] }
let pebble: Pebble
const router = createServer((request, response) => {
  const found = answers.open().find(({ token }) => request.url === `/.well-known/acme-challenge/${token}`)
  response.writeHead(found ? 200 : 404).end(found?.answer ?? 'another site')
})
before(async () => {
  router.listen(0, '127.0.0.1')
  await once(router, 'listening')
  pebble = await startPebble((router.address() as AddressInfo).port)
})
beforeEach(() => {
  pebble.instead = () => null
  pebble.asked.length = 0
})
after(async () => {
  router.closeAllConnections()
  router.close()
  await pebble[Symbol.asyncDispose]()
})

interface Daemon {
  operations: ReturnType<Awaited<ReturnType<typeof startMemoryRack>>['room']['operations']['as']>
  orders: OrderKeeper
  /** As a SIGKILL would, but for the wait until nothing of it is under way. */
  end: () => Promise<void>
}

interface Options {
  host?: Partial<Host>
  now?: () => Date
  log?: OperationsParts['log']
}

/** A rack with a domain, and as many daemons of it, one after the other, as a test wants. */
async function startShop(t: TestContext, domains: readonly string[] = [name]) {
  const rack = await startMemoryRack()
  const ends: (() => Promise<void>)[] = []
  t.after(async () => {
    for (const end of ends) await end()
    await rack[Symbol.asyncDispose]()
  })
  await rack.operations.createApp('shop')
  for (const domain of domains)
    await rack.operations.addDomain('shop', { name: domain, process: null }, rack.control)
  const startDaemon = async ({ host, now, log }: Options = {}): Promise<Daemon> => {
    const { store } = rack
    const orders = await openOrders(store.acme)
    answers = orders
    const none = async () => undefined
    const parts = {
      orders,
      certificates: await openCertificates(store.certificates, 'rack'),
      domains: await openDomains(store.domains),
      ...(now && { now }),
      ...(log && { log }),
      host: {
        describe: async () => ({
          http: '',
          https: '',
          daemon: { pid: 1 },
          router: { pid: null, load: null },
        }),
        configuration: () => ({}),
        traffic: async () => ({}),
        disk: async () => ({ totalBytes: 0, freeBytes: 0, storeBytes: null }),
        unservedPorts: async () => [],
        updateRouter: none,
        servesTls: true,
        names: async () => [],
        withoutCertificates: null,
        nameStates: () => [],
        balancerOf: () => null,
        dnsHook: null,
        ...host,
      },
    }
    const room = await rack.restart(parts)
    const life = new AbortController()
    const kept = room.keepCertified({ signal: life.signal, report: () => undefined })
    const end = async () => {
      life.abort()
      await kept
    }
    ends.push(end)
    return { operations: room.operations.as(tester), orders, end }
  }
  const ask = { directory: pebble.directory, ca: pebble.ca }
  return { rack, control: rack.control, startDaemon, ask }
}

async function failure({ orders }: Daemon, of = name): Promise<NonNullable<CertificateOrder['failed']>> {
  return await until(() => orders.order(of)?.failed, { deadlineMs: 60_000, what: `${of} to fail` })
}

async function certified({ operations }: Daemon, count = 1) {
  const enough = async () => {
    const found = await operations.listCertificates()
    return found.length >= count && found
  }
  return await until(enough, { deadlineMs: 60_000, what: 'a certificate' })
}

const refusal = (status: number, type: string, detail: string, headers = {}): Instead => ({
  status,
  headers,
  body: { type: `urn:ietf:params:acme:error:${type}`, detail },
})

describe('certificates of an authority', { timeout: 300_000 }, () => {
  test('a domain gets one by itself, with keys and tokens told to nobody, and another when it is asked for', async (t) => {
    const shop = await startShop(t)
    const daemon = await shop.startDaemon()
    const { operations } = daemon
    const asked = await operations.changeAcme({ ...shop.ask, email: 'me@example.com' }, shop.control)
    assert.match(asked.terms ?? '', /^data:|^https?:/)
    const [first] = await certified(daemon)
    assert.deepEqual([first!.names, first!.authority], [[name], pebble.directory])
    assert.deepEqual(answers.open(), [], 'nothing is answered any more')
    await assert.rejects(operations.renewCertificate('other.example.com', shop.control), {
      code: 'not-found',
      hint: 'rack domains add other.example.com --app APP',
    })
    const second = await operations.renewCertificate(first!.id, shop.control)
    assert.notEqual(second.fingerprint, first!.fingerprint)
    assert.deepEqual(await operations.listCertificates(), [second], 'the one before has left')
    const { key } = (await shop.rack.store.acme.asked())!
    const told = [await operations.getAcme(), await operations.listCertificates()]
    assert.ok(!JSON.stringify(told).includes(key.split('\n')[1]!))
  })

  test('what a killed daemon has begun is gone on with, wherever it was killed', async (t) => {
    const shop = await startShop(t)
    for (const at of ['POST /order-plz', 'POST /chalZ/', 'POST /finalize-order/', 'POST /certZ/']) {
      const stuck = Promise.withResolvers<void>()
      pebble.instead = async (asked) => {
        if (!asked.startsWith(at)) return null
        stuck.resolve()
        return await new Promise<Instead>(() => undefined)
      }
      const dying = await shop.startDaemon()
      await dying.operations.changeAcme(shop.ask, shop.control)
      const before = await dying.operations.listCertificates()
      if (before.length > 0) void dying.operations.renewCertificate(name, shop.control).catch(() => undefined)
      await stuck.promise
      await dying.end()
      assert.deepEqual(await dying.operations.listCertificates(), before, `nothing is lost at ${at}`)
      pebble.instead = () => null
      pebble.asked.length = 0
      const next = await shop.startDaemon()
      const isNew = async () => {
        const found = await next.operations.listCertificates()
        return found.length === 1 && found[0]!.id !== before[0]?.id && next.orders.orders().length === 0
      }
      await until(isNew, { deadlineMs: 60_000, what: `an order that was killed at ${at}` })
      const placed = pebble.asked.filter((asked) => asked === 'POST /order-plz').length
      assert.equal(placed > 0, at === 'POST /order-plz', `no second order is placed after ${at}`)
      await next.end()
    }
  })

  test('what is refused keeps the good one, says why and what to do, and is tried again later', async (t) => {
    const shop = await startShop(t)
    const daemon = await shop.startDaemon()
    const { operations, orders } = daemon
    await operations.changeAcme(shop.ask, shop.control)
    const [good] = await certified(daemon)
    answers = { open: () => [] }
    await assert.rejects(operations.renewCertificate(name, shop.control), {
      code: 'certificate-failed',
      message:
        /^what the authority finds at shop\.example\.com is not this rack: .*; what is shown holds until/,
      hint: /rack certs renew 'shop\.example\.com'/,
    })
    assert.deepEqual(await operations.listCertificates(), [good])
    const [order] = (await operations.getAcme()).orders
    assert.deepEqual([order?.status, order?.failures], ['failed', 1])
    assert.ok(order!.next > minutesAfter(order!.failed!.time, 4), 'not at once')
    await assert.rejects(operations.renewCertificate(name, shop.control), { code: 'certificate-failed' })
    assert.equal(orders.order(name)?.failures, 2)
    answers = orders
    const renewed = await operations.renewCertificate(name, shop.control)
    assert.deepEqual(await operations.listCertificates(), [renewed])
    assert.deepEqual((await operations.getAcme()).orders, [])
  })

  test('a DNS that leads nowhere, or to where nobody listens, is told as what it is', async (t) => {
    const names = ['lost.example.com', 'closed.example.com']
    await pebble.tell('set-servfail', { host: 'lost.example.com' })
    await pebble.tell('add-a', { host: 'closed.example.com', addresses: ['127.0.0.9'] })
    const shop = await startShop(t, names)
    const daemon = await shop.startDaemon()
    await daemon.operations.changeAcme(shop.ask, shop.control)
    const [lost, closed] = await Promise.all(names.map(async (each) => await failure(daemon, each)))
    assert.match(lost!.reason, /^the authority (finds no address for|does not reach) lost\.example\.com: /)
    assert.match(closed!.reason, /^the authority does not reach closed\.example\.com: .*refused/)
    assert.match(closed!.hint, /^Port 80 of closed\.example\.com must lead to this rack/)
    assert.deepEqual(await daemon.operations.listCertificates(), [])
  })

  test('a rack whose clock is behind takes up what it was given when that is right, and orders no second one', async (t) => {
    const shop = await startShop(t)
    const behind = await shop.startDaemon({ now: () => new Date(Date.now() - 2 * 3_600_000) })
    await behind.operations.changeAcme(shop.ask, shop.control)
    const { reason, hint } = await failure(behind)
    assert.match(
      reason,
      /^the authority has given one that holds only from .* by the clock of the rack it is /,
    )
    assert.match(hint, /clock of the rack right/)
    await behind.end()
    const right = await shop.startDaemon()
    const taken = await right.operations.renewCertificate(name, shop.control)
    assert.deepEqual(await right.operations.listCertificates(), [taken])
    // It refuses some requests for their nonce, which are sent again: orders are told apart by their address.
    assert.equal(new Set(pebble.asked.filter((asked) => asked.startsWith('POST /my-order/'))).size, 1)
  })

  test('an authority that has given enough, or is away, is left alone for as long as it says', async (t) => {
    const shop = await startShop(t, [name, 'blog.example.com'])
    const daemon = await shop.startDaemon()
    const { operations, orders } = daemon
    const limited = refusal(429, 'rateLimited', 'too many\ncertificates', { 'retry-after': '86400' })
    pebble.instead = (asked) => (asked === 'POST /order-plz' ? limited : null)
    await operations.changeAcme(shop.ask, shop.control)
    const { time, reason, notBefore } = await failure(daemon)
    assert.match(reason, /^the authority has given too many lately: too many certificates$/)
    assert.ok(notBefore! > minutesAfter(time, 23 * 60) && notBefore! <= minutesAfter(time, 24 * 60))
    assert.ok(Date.parse(orders.order(name)!.next) >= Date.parse(notBefore!))
    await assert.rejects(operations.renewCertificate(name, shop.control), {
      code: 'conflict',
      message: `the authority wants to be left alone until ${notBefore}`,
    })
    await assert.rejects(operations.getCertificate(name), { code: 'not-found', message: /too many lately/ })
    await failure(daemon, 'blog.example.com')
    pebble.instead = () => null
    await operations.addDomain('shop', { name: 'new.example.com', process: null }, shop.control)
    assert.deepEqual((await operations.renewCertificate('new.example.com', shop.control)).names, [
      'new.example.com',
    ])
    const soon = refusal(503, 'serverInternal', 'down', { 'retry-after': '3600' })
    pebble.instead = (asked) => (asked === 'POST /order-plz' ? soon : null)
    await assert.rejects(operations.renewCertificate('new.example.com', shop.control), {
      code: 'certificate-failed',
    })
    await operations.addDomain('shop', { name: 'last.example.com', process: null }, shop.control)
    await assert.rejects(operations.renewCertificate('last.example.com', shop.control), {
      code: 'conflict',
      message: /wants to be left alone until/,
    })
    await daemon.end()

    const away = await startShop(t)
    const later = await away.startDaemon()
    await later.operations.changeAcme(away.ask, away.control).catch(() => undefined)
    pebble.instead = (asked) => (asked.startsWith('POST /my-order/') ? { status: 503 } : null)
    assert.match((await failure(later)).reason, /^the authority does not answer: it answered 503$/)
    assert.notEqual(later.orders.order(name)?.url, null, 'the order stays open')
    pebble.instead = () => null
    await later.operations.renewCertificate(name, away.control)
  })

  test('an authority that is not reached, or not believed, is not asked, and what was so stays', async (t) => {
    const shop = await startShop(t)
    const plain = await shop.startDaemon({ host: { servesTls: false } })
    await assert.rejects(plain.operations.changeAcme(shop.ask, shop.control), {
      code: 'conflict',
      message: 'the rack serves no https',
    })
    await plain.end()
    const { operations } = await shop.startDaemon()
    await assert.rejects(operations.changeAcme({ directory: pebble.directory }, shop.control), {
      code: 'certificate-failed',
      message: /the authority is not believed/,
      hint: /--ca FILE\.pem/,
    })
    await assert.rejects(operations.changeAcme({ directory: 'https://localhost:1/dir' }, shop.control), {
      code: 'certificate-failed',
      message: /the authority does not answer: localhost:1 is not reached/,
    })
    for (const change of [{ directory: 'http://localhost/dir' }, { email: 'me' }, { ca: 'none' }])
      await assert.rejects(operations.changeAcme({ ...shop.ask, ...change }, shop.control), {
        code: 'invalid',
      })
    assert.equal((await operations.getAcme()).directory, null)
  })

  test('an order that is under way when nobody wants it any more ends, and leaves nothing', async (t) => {
    const shop = await startShop(t)
    const records = new Set<string>()
    const told: string[] = []
    const dnsHook: Host['dnsHook'] = async (step, { name: record, value }) => {
      if (step === 'cleanup') return void records.delete(value)
      records.add(value)
      await pebble.tell('set-txt', { host: `${record}.`, value })
    }
    const log = (level: string, message: string) => void (level === 'info' || told.push(message))
    const daemon = await shop.startDaemon({ host: { dnsHook }, log })
    const { operations, orders } = daemon
    const leave: [string, string, () => Promise<unknown>][] = [
      ['*.example.com', 'POST /chalZ/', () => operations.removeDomain('shop', '*.example.com', shop.control)],
      [
        '*.example.com',
        'POST /finalize-order/',
        () => operations.changeAcme({ directory: null }, shop.control),
      ],
      [name, 'POST /chalZ/', () => operations.changeAcme({ directory: null }, shop.control)],
    ]
    for (const [wanted, at, end] of leave) {
      const stuck = Promise.withResolvers<void>()
      pebble.instead = async (asked) => {
        if (!asked.startsWith(at)) return null
        stuck.resolve()
        return await new Promise<Instead>(() => undefined)
      }
      for (const { name: other } of await operations.listDomains({}))
        if (other !== wanted) await operations.removeDomain('shop', other, shop.control)
      await operations.addDomain('shop', { name: wanted, process: null }, shop.control)
      await operations.changeAcme(shop.ask, shop.control)
      await stuck.promise
      await end()
      await until(() => orders.orders().length === 0 && records.size === 0, {
        deadlineMs: 60_000,
        what: `${wanted} at ${at} to be forgotten`,
      })
    }
    await daemon.end()
    assert.deepEqual(told, [], 'nothing failed')
    assert.deepEqual(await shop.rack.store.acme.orders(), [])
  })

  test('what a killed daemon has put into the DNS is taken away by the next one; the rack’s own host has one too', async (t) => {
    const shop = await startShop(t, ['*.example.com'])
    const records = new Set<string>()
    const stuck = Promise.withResolvers<void>()
    let isKilled = false
    const dnsHook: Host['dnsHook'] = async (step, { name: record, value }, { signal }) => {
      if (step === 'present') {
        records.add(value)
        return await pebble.tell('set-txt', { host: `${record}.`, value })
      }
      if (isKilled) return void records.delete(value)
      stuck.resolve()
      await once(signal, 'abort')
      throw signal.reason
    }
    const dying = await shop.startDaemon({ host: { dnsHook } })
    await dying.operations.changeAcme(shop.ask, shop.control)
    await stuck.promise
    await dying.end()
    isKilled = true
    assert.equal(records.size, 1)
    const names = async () => ['rack.example.org']
    const next = await shop.startDaemon({ host: { dnsHook, names } })
    await certified(next, 2)
    assert.equal(records.size, 0)
    const own = await next.operations.renewCertificate('rack.example.org', shop.control)
    assert.deepEqual(own.names, ['rack.example.org'])
  })

  test('a certificate that a killed daemon had kept leaves, when the router refuses it', async (t) => {
    const shop = await startShop(t)
    const [stuck, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const kept = async () => await shop.rack.store.certificates.list()
    const hangs = async () => {
      if ((await kept()).length === 0) return
      stuck.resolve()
      await over.promise
    }
    const dying = await shop.startDaemon({ host: { updateRouter: hangs } })
    await dying.operations.changeAcme(shop.ask, shop.control)
    try {
      await stuck.promise
      assert.equal((await kept()).length, 1)
      const refuses = async () => {
        throw new Error('refused')
      }
      await failure(await shop.startDaemon({ host: { updateRouter: refuses } }))
      assert.deepEqual(await kept(), [])
    } finally {
      over.resolve()
    }
  })

  test('a wildcard is proven by the DNS, by somebody’s program, and it does for what is below', async (t) => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-hook-'))
    const program = join(directory.path, 'hook')
    const lines = [
      '#!/bin/sh',
      'test -z "$RACK_SECRET" || exit 3',
      `case $1 in present) what=set-txt;; *) what=clear-txt;; esac`,
      `curl -fsS -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" ${pebble.names}/$what`,
    ]
    await writeFile(program, lines.join('\n'))
    await chmod(program, 0o755)
    process.env.RACK_SECRET = 'hush'
    t.after(() => delete process.env.RACK_SECRET)
    const shop = await startShop(t, ['*.example.com'])
    const without = await shop.startDaemon()
    await without.operations.changeAcme(shop.ask, shop.control)
    const { hint } = await failure(without, '*.example.com')
    assert.match(hint, /rack start --acme-dns-hook PROGRAM/)
    await without.end()

    const daemon = await shop.startDaemon({ host: { dnsHook: dnsHookOf(program) } })
    const [made] = [await daemon.operations.renewCertificate('*.example.com', shop.control)]
    assert.deepEqual(made.names, ['*.example.com'])
    await daemon.operations.addDomain('shop', { name, process: null }, shop.control)
    await daemon.operations.addDomain('shop', { name: 'a.b.example.com', process: null }, shop.control)
    const both = await certified(daemon, 2)
    assert.deepEqual(both.map(({ names }) => names.join()).sort(), ['*.example.com', 'a.b.example.com'])
  })

  test('it is renewed in the last third of its life, and one of a former authority at once', async (t) => {
    const shop = await startShop(t)
    const daemon = await shop.startDaemon()
    await daemon.operations.changeAcme(shop.ask, shop.control)
    const [first] = await certified(daemon)
    await daemon.end()
    const lifeMs = Date.parse(first!.until) - Date.parse(first!.from)
    const dueMs = Date.parse(first!.from) + lifeMs * 0.76
    // Pebble's certificates hold from now on, so the later daemon sees one that does not hold before the other ends.
    const later = await shop.startDaemon({ now: () => new Date(dueMs) })
    const isRenewed = async () =>
      (await later.operations.listCertificates()).every(({ id }) => id !== first!.id)
    await until(isRenewed, { deadlineMs: 60_000, what: 'a renewal' })
    await later.end()
    const other = await shop.startDaemon()
    const url = pebble.directory.replace(/dir$/, 'dir?')
    await other.operations.changeAcme({ ...shop.ask, directory: url }, shop.control)
    const isOf = async () =>
      (await other.operations.listCertificates()).some(({ authority }) => authority === url)
    await until(isOf, { deadlineMs: 60_000, what: 'one of the other authority' })
    assert.equal((await other.operations.listCertificates()).length, 1)
  })

  test('an authority that is away for two weeks is asked about twice a day; the good one stays, and the next comes by itself', async (t) => {
    const shop = await startShop(t)
    const first = await shop.startDaemon()
    await first.operations.changeAcme(shop.ask, shop.control)
    const [good] = await certified(first)
    await first.end()
    const day = 24 * 3_600_000
    let now = Date.parse(good!.until) - 15 * day
    const warnings: string[] = []
    const daemon = await shop.startDaemon({
      now: () => new Date(now),
      log: (level, text) => void (level === 'warn' && warnings.push(text)),
    })
    const { operations, orders } = daemon
    pebble.instead = (asked) => (asked === 'POST /order-plz' ? { status: 503 } : null)
    const tries: number[] = []
    const failures = () => orders.order(name)?.failures ?? 0
    while (now < Date.parse(good!.until) - day) {
      await until(() => failures() > tries.length, { deadlineMs: 60_000, what: `try ${tries.length + 1}` })
      tries.push(now)
      assert.match(orders.order(name)!.failed!.reason, /^the authority does not answer: it answered 503$/)
      now = Date.parse(orders.order(name)!.next)
    }
    const [opening] = tries
    const perDay = Array.from({ length: 14 }, (_, at) => {
      const isOfDay = (time: number) => Math.floor((time - opening!) / day) === at
      return tries.filter(isOfDay).length
    })
    assert.ok(perDay[0]! <= 9, `${perDay.join()} tries a day`)
    assert.ok(
      perDay.slice(1).every((count) => count >= 1 && count <= 3),
      `${perDay.join()} tries a day`,
    )
    assert.deepEqual(await operations.listCertificates(), [good])
    const [order] = (await operations.getAcme()).orders
    assert.deepEqual([order?.status, order?.failures], ['failed', tries.length])
    const each = warnings.filter((text) => text === `there is no new certificate for ${name}`)
    assert.equal(each.length, tries.length)
    pebble.instead = () => null
    now = Date.parse(orders.order(name)!.next)
    const isOther = async () => (await operations.listCertificates()).every(({ id }) => id !== good!.id)
    await until(isOther, { deadlineMs: 60_000, what: 'the next certificate' })
    const isForgotten = async () => (await operations.getAcme()).orders.length === 0
    await until(isForgotten, { deadlineMs: 60_000, what: 'the failures to be forgotten' })
  })
})
