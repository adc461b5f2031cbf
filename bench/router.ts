import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort, installRack } from '../test/support/installed-rack.ts'
import { ask } from '../test/support/load.ts'
import { makeSource, webFiles } from '../test/support/source.ts'
import { heading, median, row } from './statistics.ts'

const execute = promisify(execFile)
const rounds = 21
const seconds = 1
/** Of the system's clock, by which it counts a program's time. */
const usPerTick = 10_000

/**
 * (b) Requests a second through the router, to the process itself, and through a bare HAProxy before it; and through two
 * with the router's configuration, one of them without the shares.
 */
export async function benchRouter(): Promise<void> {
  await using rack = await installRack()
  const files = webFiles('hello')
  await using source = await makeSource({
    ...files,
    'docker-compose.yml': files['docker-compose.yml'].replace('replicas: 2', 'replicas: 1'),
  })
  await rack.run('deploy', '--app', 'bench', source.path)
  const [web] = await rack.json<{ address: string }[]>('ps', '--app', 'bench')
  if (!web) throw new Error('the app has no process')
  await using bare = await startHaproxy((port) => bareConfig(port, web.address))
  const own = await readFile(join(rack.directory, 'router/haproxy.cfg'), 'utf8')
  // Both are children of this program, so the system shares its processors out to them in the same way.
  await using shared = await startHaproxy((port) => onPort(own, port))
  await using unshared = await startHaproxy((port) => withoutShares(onPort(own, port)))
  const targets = [
    `http://127.0.0.1:${rack.httpPort}/`,
    `http://${web.address}:3000/`,
    `http://127.0.0.1:${bare.port}/`,
    `http://127.0.0.1:${shared.port}/`,
    `http://127.0.0.1:${unshared.port}/`,
  ]
  const rates: number[][] = targets.map(() => [])
  for (let round = 0; round < rounds; round++) {
    // Each goes first in turn: the process is slower until it is warm, and a busy machine drifts.
    for (let turn = 0; turn < targets.length; turn++) {
      const index = (round + turn) % targets.length
      rates[index]?.push(await requestsPerSecond(targets[index]!))
    }
  }
  const [router = [], direct = [], haproxy = [], withShares = [], without = []] = rates
  console.log(heading)
  console.log(compare('requests/s ÷ direct to the process', router, direct, '≥ 0.6'))
  console.log(compare('requests/s ÷ bare HAProxy', router, haproxy, '≥ 0.95'))
  console.log(compare('requests/s with the shares ÷ without', withShares, without, '≥ 0.97'))
  // Of HAProxy alone; what else the machine does counts less here than in a rate.
  const [ours, theirs] = [await shared.processorUs(withShares), await unshared.processorUs(without)]
  const [text, other] = [ours, theirs].map((us) => `${us.toFixed(1)} µs`)
  console.log(row('processor time a request, the same', text!, other!, ours / theirs, '≤ 1.06'))
}

/** The ratio is the median of the rounds' own: what else the machine does changes from round to round. */
function compare(name: string, ours: number[], theirs: number[], aim: string): string {
  const ratio = median(ours.map((rate, round) => rate / theirs[round]!))
  return row(name, median(ours).toFixed(0), median(theirs).toFixed(0), ratio, aim)
}

async function requestsPerSecond(url: string): Promise<number> {
  const { stdout } = await execute('wrk', [
    '-t2',
    '-c32',
    `-d${seconds}s`,
    '-H',
    'Host: bench.localhost',
    url,
  ])
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`errors from ${url}:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}

/** The least configuration that a person would write. */
function bareConfig(port: number, address: string): string {
  return `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http
  bind 127.0.0.1:${port}
  default_backend web
backend web
  server web ${address}:3000
`
}

/** The router's configuration on another port, for a HAProxy without a master. */
function onPort(config: string, port: number): string {
  const lines = config.split('\n').filter((line) => !/^  (stats socket|bind unix)/.test(line))
  return lines.map((line) => line.replace(/^  bind .*/, `  bind 127.0.0.1:${port}`)).join('\n')
}

/** The same without what counts and bounds. */
function withoutShares(config: string): string {
  const lines = config
    .split('\n')
    .filter((line) => !/stick-table|track-sc|sc\d_conn_cur|^  maxconn/.test(line))
    .map((line) => line.replace(/ maxconn \d+$/, ''))
  return lines.join('\n')
}

interface Haproxy extends AsyncDisposable {
  port: number
  /** What it has used of the processors a request, when it was sent so many a second in rounds. */
  processorUs(rates: number[]): Promise<number>
}

async function startHaproxy(configFor: (port: number) => string): Promise<Haproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-bench-'))
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  await writeFile(file, configFor(port))
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  const deadline = Date.now() + 5000
  while (!(await ask({ port, host: 'bench.localhost' }).catch(() => null))) {
    if (Date.now() > deadline) throw new Error('a HAProxy to compare with did not start')
  }
  return {
    port,
    async processorUs(rates) {
      const requests = rates.reduce((sum, rate) => sum + rate * seconds, 0)
      const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
      const ticks = Number(fields[11]) + Number(fields[12])
      return (ticks * usPerTick) / requests
    },
    async [Symbol.asyncDispose]() {
      child.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
