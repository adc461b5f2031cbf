import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../src/lib/poll.ts'
import { freePort, installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { psqlApp } from '../test/support/psql-app.ts'
import { makeSource } from '../test/support/source.ts'
import { startHaproxy } from './bare-haproxy.ts'
import { inTurn, ratioOf, took } from './interleaved.ts'
import { heading, median, row } from './statistics.ts'

const execute = promisify(execFile)

const [clients, scale] = [8, 10]

/** What only reads tells what the network costs: it has no aim, and a sixth of the time. */
const loads = [
  ['TPC-B-like', [], 1, { link: '≥ 0.95', share: '≥ 0.6', bare: '≥ 0.95' }],
  ['select only', ['--select-only'], 1 / 6, { link: '–', share: '–', bare: '–' }],
] as const

interface Size {
  rounds?: number
  seconds?: number
}

/** (m) A database through a link and through a share, beside `docker run postgres` on a network of its own, and the way to the first answer. */
export async function benchLinks({ rounds = 7, seconds = 60 }: Size = {}): Promise<void> {
  await using rack = await installRack()
  await using far = await installRack()
  await using source = await makeSource(psqlApp)
  for (const each of [rack, far]) await each.run('deploy', '--app', 'shop', source.path)
  console.log(heading)
  await firstAnswer(rack)
  await share(rack, far)
  await using other = await besideIt(rack.name)
  await using bare = await bareShare(rack, far)
  const linked = { container: await copyOf(rack, 'shop'), ...linkedDatabase }
  const shared = { container: await copyOf(far, 'shop'), ...linkedDatabase }
  for (const door of [linked, shared, bare, other]) {
    await pgbench(door, ['--initialize', '--quiet', '--scale', String(scale)])
    // What each has to learn first is no part of it.
    await transactions(door, Math.ceil(seconds / 6), [])
  }
  for (const [name, more, part, aims] of loads) {
    const runs = [linked, shared, bare, other].map(
      (door) => async () => await transactions(door, Math.ceil(seconds * part), more),
    )
    const [linkedTps = [], sharedTps = [], bareTps = [], otherTps = []] = await inTurn(rounds, runs)
    const line = (what: string, ours: number[], theirs: number[], aim: string) => {
      const [through, beside] = [median(ours).toFixed(0), median(theirs).toFixed(0)]
      console.log(row(`${name} tps by ${what}`, through, beside, ratioOf(ours, theirs), aim))
    }
    line('a link ÷ docker run postgres', linkedTps, otherTps, aims.link)
    line('a share ÷ docker run postgres', sharedTps, otherTps, aims.share)
    line('a share ÷ two bare HAProxys', sharedTps, bareTps, aims.bare)
  }
}

/** Two racks of this machine: the database of one is linked by an app of the other. */
async function share(near: InstalledRack, far: InstalledRack): Promise<void> {
  const port = await freePort()
  await near.run('parameters', 'set', 'shares.bind=127.0.0.1', `shares.port=${port}`)
  const file = join(far.directory, 'main.share')
  // A server of its own: what one writes for others is nobody's measure.
  await near.run('services', 'create', 'postgres', '--name', 'lent', ...room)
  await near.run(
    'services',
    'share',
    'lent',
    '--as',
    'far',
    '--address',
    `127.0.0.1:${port}`,
    '--output',
    file,
  )
  await far.run('services', 'create', 'shared', '--from', file, '--name', 'main')
  await far.run('links', 'create', 'main', '--as', 'db', '--app', 'shop', '--promote')
}

/** What two HAProxys of the least configuration make of the same way, with the certificates of the share. */
async function bareShare(near: InstalledRack, far: InstalledRack): Promise<Door & AsyncDisposable> {
  const [sharing, taking] = await Promise.all(
    [near, far].map((rack) => readFile(join(rack.directory, 'router/haproxy.cfg'), 'utf8')),
  )
  const find = (config: string | undefined, what: RegExp) => {
    const found = what.exec(config ?? '')?.[1]
    if (found === undefined) throw new Error(`the router's configuration has no ${what}`)
    return found
  }
  const gateway = `${find(taking, /reject unless \{ src ([\d.]+)\.0\/24 \}/)}.1`
  const haproxy = await startHaproxy(
    (port) => `defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
frontend far
  bind ${gateway}:${port}
  default_backend near
backend near
  server near 127.0.0.1:${port} ${find(taking, /server rack \S+ (ssl verify required .*? sni \S+)/)}
frontend near
  bind 127.0.0.1:${port} ${find(sharing, /bind \S+ (ssl crt .*? verify required)/)}
  default_backend database
backend database
  server database ${find(sharing, /backend _lent\.share[^]*?server \S+ (\S+)/)}
`,
  )
  return {
    container: await copyOf(far, 'shop'),
    database: `$(printf %s "$DB_URL" | sed s/@db:5432/@${gateway}:${haproxy.port}/)`,
    [Symbol.asyncDispose]: () => haproxy[Symbol.asyncDispose](),
  }
}

/** From `services create` to the first row that an app reads, with the image on the machine. */
async function firstAnswer(rack: InstalledRack): Promise<void> {
  const creating = await took(() => rack.run('services', 'create', 'postgres', '--name', 'main', ...room))
  const linking = await took(() =>
    rack.run('links', 'create', 'main', '--as', 'db', '--app', 'shop', '--promote'),
  )
  const asking = await took(async () => {
    const container = await copyOf(rack, 'shop')
    const answers = async () => (await psql({ container, ...linkedDatabase }, 'select 42')).trim() === '42'
    await until(answers, { deadlineMs: 30_000, intervalMs: 50, what: 'the first answer' })
  })
  const total = creating + linking + asking
  console.log(row('create → linked → first answer', `${total.toFixed(1)} s`, '–', null, '–'))
  console.log(
    `of it: create ${creating.toFixed(1)} s, link and promote ${linking.toFixed(1)} s, ask ${asking.toFixed(1)} s`,
  )
}

const room = ['--cpu', '768', '--memory', '1g']

interface Door {
  /** Where the client runs. */
  container: string
  /** Of its shell: where the database is, and how to log in. */
  database: string
}

/** By the variables of the link. */
const linkedDatabase = { database: '$DB_URL' }

/** A server of the same image and the same limits, and a client of it, on a network of their own. */
async function besideIt(name: string): Promise<Door & AsyncDisposable> {
  const [network, server, client] = [`${name}-other`, `${name}-other-db`, `${name}-other-web`]
  const limits = ['--cpu-shares', '768', '--memory', '1g']
  await execute('docker', ['network', 'create', network])
  const on = ['run', '--detach', '--network', network]
  await execute('docker', [
    ...on,
    '--name',
    server,
    ...limits,
    '--env',
    'POSTGRES_PASSWORD=other',
    'postgres:15',
  ])
  // The client has what a process of a rack has.
  const process = ['--cpu-shares', '128', '--memory', '256m']
  await execute('docker', [...on, '--name', client, ...process, 'postgres:15', 'sleep', '86400'])
  const door = { container: client, database: `postgres://postgres:other@${server}/postgres` }
  const answers = async () => (await psql(door, 'select 42').catch(() => '')).trim() === '42'
  await until(answers, { deadlineMs: 60_000, intervalMs: 200, what: 'the other database' })
  return {
    ...door,
    async [Symbol.asyncDispose]() {
      await execute('docker', ['rm', '--force', '--volumes', client, server])
      await execute('docker', ['network', 'rm', network])
    },
  }
}

async function transactions(door: Door, seconds: number, more: readonly string[]): Promise<number> {
  const load = ['--client', String(clients), '--jobs', '2', '--time', String(seconds), '--no-vacuum']
  const printed = await pgbench(door, [...load, ...more])
  return Number(/tps = ([\d.]+)/.exec(printed)?.[1])
}

async function pgbench({ container, database }: Door, args: string[]): Promise<string> {
  return await inside(container, `exec pgbench ${args.join(' ')} "${database}"`)
}

async function psql({ container, database }: Door, statement: string): Promise<string> {
  return await inside(container, `exec psql -qAtX -c '${statement}' "${database}"`)
}

async function inside(container: string, script: string): Promise<string> {
  return (await execute('docker', ['exec', container, 'sh', '-c', script])).stdout
}

async function copyOf(rack: InstalledRack, app: string): Promise<string> {
  // What has replaced another one may stand beside it for a while: the newest is first.
  const { stdout } = await execute('docker', ['ps', '--quiet', '--filter', `name=${rack.name}-${app}-web-`])
  return stdout.split('\n')[0]!
}
