import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { readRacks } from '../src/cli/racks-file.ts'
import { createClient } from '../src/client/client.ts'
import type { Client } from '../src/client/client-types.ts'
import { createAuthority, issueCertificate } from '../src/lib/x509/issue.ts'
import { freePort, installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { startLoad } from '../test/support/load.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { bareConfig, processorUsOf, startHaproxy } from './bare-haproxy.ts'
import { interleaved } from './interleaved.ts'
import { heading, median, ms, row } from './statistics.ts'
import { compareRates, requestsPerSecond } from './wrk.ts'

const execute = promisify(execFile)
const app = 'bench'
const host = 'bench.localhost'
const seconds = 1
const usualRounds = 21
/** As the router has it, see src/router/tls/https-config.ts: what a handshake is depends on it. */
const bareTls = 'alpn h2,http/1.1 ssl-min-ver TLSv1.2 no-tls-tickets'

/**
 * Handshakes and requests a second by TLS, beside a bare HAProxy with the same certificate before the same process;
 * and the longest request while certificates and domains change.
 */
export async function benchTls({ rounds = usualRounds }: { rounds?: number }): Promise<void> {
  const httpsPort = await freePort()
  await using rack = await installRack(['--https-port', String(httpsPort)])
  const files = webFiles('hello')
  // What is measured is the router: the process behind it gets what it wants of the processors.
  const compose = files['docker-compose.yml'].replace('replicas: 2', 'replicas: 1').replace('"0.05"', '"1.0"')
  await using source = await makeSource({ ...files, 'docker-compose.yml': compose })
  await rack.run('deploy', '--app', app, source.path)
  const [web] = await rack.json<{ address: string }[]>('ps', '--app', app)
  if (!web) throw new Error('the app has no process')
  const shown = await shownFile(rack)
  await using bare = await startHaproxy((port) =>
    bareConfig(port, web.address, `ssl crt ${shown} ${bareTls}`),
  )
  const worker = await workerOf(rack)
  const routers = { ours: () => processorUsOf(worker), theirs: () => bare.processorUs() }
  const beside = async (what: string, measure: (port: number) => Promise<number>) => {
    const before = [await routers.ours(), await routers.theirs()] as const
    const { ours, theirs } = await interleaved(
      rounds,
      () => measure(httpsPort),
      () => measure(bare.port),
    )
    console.log(compareRates(`${what}s/s ÷ bare HAProxy`, ours, theirs, '≥ 0.95'))
    // Of HAProxy alone; what else the machine does counts less here than in a rate.
    const sum = (rates: number[]) => rates.reduce((all, rate) => all + rate * seconds, 0)
    const [own, other] = [
      ((await routers.ours()) - before[0]) / sum(ours),
      ((await routers.theirs()) - before[1]) / sum(theirs),
    ]
    const [text, otherText] = [own, other].map((us) => `${us.toFixed(1)} µs`)
    console.log(row(`  its processor time a ${what}`, text!, otherText!, own / other, ''))
  }
  // Whose certificate is shown is decided by the name; wrk asks TLS for the address, and is shown another of the same kind.
  const byWrk = (keepAlive: boolean) => (port: number) =>
    requestsPerSecond(`https://127.0.0.1:${port}/`, { host, seconds, keepAlive })
  console.log(heading)
  await beside('handshake', byWrk(false))
  await beside('HTTP/1.1 request', byWrk(true))
  await beside('HTTP/2 request', http2PerSecond)
  await benchChanges(rack, httpsPort)
}

/** The process that serves: another one after a reload. */
async function workerOf(rack: InstalledRack): Promise<number> {
  const { router } = await rack.json<{ router: { pid: number } }>('status')
  const children = await readFile(`/proc/${router.pid}/task/${router.pid}/children`, 'utf8')
  return Math.max(...children.trim().split(' ').map(Number))
}

/** The file with the certificate and the key that the router shows for the app. */
async function shownFile({ directory }: InstalledRack): Promise<string> {
  const list = await readFile(join(directory, 'router/certificates.list'), 'utf8')
  const line = list.split('\n').find((each) => each.endsWith(` ${host}`))
  if (!line) throw new Error(`nothing is shown for ${host}`)
  return line.slice(0, -host.length - 1)
}

/** By 32 connections with four streams each. @throws Error when one is not answered well */
async function http2PerSecond(port: number): Promise<number> {
  const place = [`--connect-to=127.0.0.1:${port}`, `https://${host}:${port}/`]
  const { stdout } = await execute('h2load', ['-t2', '-c32', '-m4', '-D', String(seconds), ...place])
  const [done, good] = [/(\d+) done/, /status codes: (\d+) 2xx/].map((text) => text.exec(stdout)?.[1])
  if (!/Application protocol: h2/.test(stdout) || done === undefined || done !== good)
    throw new Error(`errors of h2load:\n${stdout}`)
  return Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(stdout)?.[1])
}

const changesOfAKind = 20
const changesInARow = 4
const restMs = 10
const betweenMs = 250
const allowedStallMs = 25

/** A period under load: with changes or without. */
interface Period {
  longestMs: number
  requests: number
  failures: number
  ms: number
}

/** By the API, not by commands: what is measured is the router, and not the start of a program beside it. */
async function benchChanges(rack: InstalledRack, port: number): Promise<void> {
  const { racks } = readRacks(rack.env)
  const client = createClient(racks[0]!)
  const from = new Date(Date.now() - 1000)
  const untilMs = Date.now() + 86_400_000
  const uploads = await createAuthority({ name: 'Bench', from, until: new Date(untilMs + 86_400_000) })
  const own = await client.getAuthority()
  const ca = own.certificate + uploads.certificate
  for (const [at, keepAlive] of [true, false].entries()) {
    const span = { from, until: new Date(untilMs + at * 3_600_000) }
    const changed: Period[] = []
    const still: Period[] = []
    const during = async (work: () => Promise<unknown>): Promise<Period> => {
      const started = performance.now()
      const load = startLoad({ port, host, ca, connections: 32, keepAlive, restMs })
      try {
        await work()
      } finally {
        await load.stop()
      }
      const { requests, longestMs, failures } = load.soFar
      for (const [text, count] of Object.entries(failures)) console.log(`  ${count} × ${text}`)
      const failed = Object.values(failures).reduce((sum, each) => sum + each, 0)
      return { requests, longestMs, failures: failed, ms: performance.now() - started }
    }
    for (const change of [await certificateChanges(client, uploads, span), domainChanges(client)]) {
      const changeSome = async () => {
        for (let step = 0; step < changesInARow; step++) {
          await change()
          await delay(betweenMs)
        }
      }
      for (let round = 0; round < changesOfAKind / changesInARow; round++) {
        const idleMs = changed.at(-1)?.ms ?? changesInARow * betweenMs
        const steps = [
          async () => void changed.push(await during(changeSome)),
          async () => void still.push(await during(() => delay(idleMs))),
        ]
        for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step()
      }
    }
    printChanges(keepAlive ? 'keep-alive' : 'a handshake each', changed, still)
  }
}

type Pair = Awaited<ReturnType<typeof createAuthority>>

/** Each time another one is shown, which lasts longer than the one before; all of them are made before the load. */
async function certificateChanges(
  client: Client,
  authority: Pair,
  { from, until }: { from: Date; until: Date },
): Promise<() => Promise<unknown>> {
  const made = await Array.fromAsync({ length: changesOfAKind }, async (_none, at) => {
    const lasting = new Date(until.getTime() + 1000 * at)
    const names = [host]
    const { certificate, key } = await issueCertificate({
      authority,
      names,
      from,
      until: lasting,
      usages: ['server'],
    })
    return { certificate: certificate + authority.certificate, key }
  })
  return async () => await client.addCertificate({ body: made.shift()! })
}

function domainChanges(client: Client) {
  let isThere = false
  return async () => {
    const params = { app, domain: 'bench.example.com' }
    if (isThere) await client.removeDomain({ params })
    else await client.addDomain({ params, body: { process: null } })
    isThere = !isThere
  }
}

function printChanges(name: string, changed: Period[], still: Period[]): void {
  const longest = (periods: Period[]) => Math.max(...periods.map(({ longestMs }) => longestMs))
  const middle = (periods: Period[]) => median(periods.map(({ longestMs }) => longestMs))
  const sum = (periods: Period[], of: 'requests' | 'failures') =>
    String(periods.reduce((all, period) => all + period[of], 0))
  console.log(`${changesOfAKind} certificates and ${changesOfAKind} domains change, 32 connections, ${name}`)
  console.log(row('  requests', sum(changed, 'requests'), sum(still, 'requests'), null, ''))
  console.log(row('  failed requests', sum(changed, 'failures'), sum(still, 'failures'), null, '0'))
  for (const [what, of] of [
    ['median', middle],
    ['of all', longest],
  ] as const) {
    const [ours, theirs] = [of(changed), of(still)]
    const aim = `≤ ${ms(theirs + allowedStallMs)}`
    console.log(row(`  longest request, ${what}`, ms(ours), ms(theirs), ours / theirs, aim))
  }
}
