import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { promisify } from 'node:util'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { interleaved, ratioOf, took } from './interleaved.ts'
import { residentMebibytes } from './resident-memory.ts'
import { heading, median, row } from './statistics.ts'

const execute = promisify(execFile)

const rounds = 3
/** Of pgbench: each is some 15 MB. */
const scale = 70
const [clients, seconds] = [8, 20]

/** (l) A backup beside the same dump by hand, and a database through `rack services proxy` beside the same one directly. */
export async function benchServices(): Promise<void> {
  await using rack = await installRack()
  await rack.run('services', 'create', 'postgres', '--name', 'main', '--cpu', '1024', '--memory', '1g')
  const container = await containerOf(rack)
  const password = await execute('docker', ['exec', container, 'printenv', 'POSTGRES_PASSWORD'])
  process.env['PGPASSWORD'] = password.stdout.trim()
  const address = [
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    container,
  ]
  const direct = { host: (await execute('docker', address)).stdout.trim(), port: '5432' }
  await pgbench(direct, ['--initialize', '--quiet', '--scale', String(scale)])
  console.log(heading)
  await benchBackup(rack, container)
  await benchProxy(rack, direct)
}

async function benchBackup(rack: InstalledRack, container: string): Promise<void> {
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  const before = await residentMebibytes(daemon.pid)
  const size = 'SELECT pg_database_size(current_database())'
  const psql = ['exec', container, 'psql', '-qAtX', '-U', 'postgres', '-c', size]
  const megabytes = Number((await execute('docker', psql)).stdout) / 1e6
  const byHand = `docker exec ${container} pg_dump -U postgres -Fc -Z0 postgres | zstd -3 >/dev/null`
  let most = 0
  const { ours, theirs } = await interleaved(
    rounds,
    async () => {
      const memory = watch(async () => (most = Math.max(most, await residentMebibytes(daemon.pid))))
      try {
        return megabytes / (await took(() => rack.run('services', 'backup', 'main')))
      } finally {
        memory.stop()
      }
    },
    async () => megabytes / (await took(() => execute('bash', ['-c', byHand]))),
  )
  const [kept, piped] = [median(ours), median(theirs)]
  const what = `backup of ${(megabytes / 1000).toFixed(1)} GB, MB/s ÷ pg_dump | zstd`
  console.log(row(what, kept.toFixed(0), piped.toFixed(0), ratioOf(ours, theirs), '≥ 0.9'))
  console.log(`memory of the daemon: ${before} MiB before, at most ${most} MiB meanwhile`)
}

async function benchProxy(rack: InstalledRack, direct: Door): Promise<void> {
  const { child, said } = rack.start(['services', 'proxy', 'main', '--port', '0', '--json'], {
    timeoutMs: 3_600_000,
  })
  try {
    const [line] = (await once(child.stdout!, 'data')) as [string]
    const [host, port] = (JSON.parse(line) as { local: string }).local.split(':') as [string, string]
    for (const [name, more] of [
      ['TPC-B-like', []],
      ['select only', ['--select-only']],
    ] as const) {
      const run = (door: Door) => async () => await transactions(door, more)
      const { ours, theirs } = await interleaved(rounds, run({ host, port }), run(direct))
      const what = `${name} tps by services proxy ÷ directly`
      const [through, straight] = [median(ours).toFixed(0), median(theirs).toFixed(0)]
      console.log(row(what, through, straight, ratioOf(ours, theirs), name === 'select only' ? '–' : '≥ 0.5'))
    }
  } finally {
    child.kill('SIGINT')
    await said
  }
}

interface Door {
  host: string
  port: string
}

async function transactions(door: Door, more: readonly string[]): Promise<number> {
  const load = ['--client', String(clients), '--jobs', '2', '--time', String(seconds), '--no-vacuum']
  const { stdout } = await pgbench(door, [...load, ...more])
  return Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
}

async function pgbench({ host, port }: Door, args: string[]) {
  return await execute('pgbench', [
    '--host',
    host,
    '--port',
    port,
    '--username',
    'postgres',
    ...args,
    'postgres',
  ])
}

function watch(look: () => Promise<unknown>) {
  const timer = setInterval(() => void look().catch(() => undefined), 100)
  return { stop: () => clearInterval(timer) }
}

async function containerOf(rack: InstalledRack): Promise<string> {
  const filter = ['ps', '--quiet', '--filter', `name=${rack.name}-_main-`]
  return (await execute('docker', filter)).stdout.trim()
}
