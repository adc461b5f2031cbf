import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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

/** (b) Requests a second through the router, to the process itself, and through a bare HAProxy before it. */
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
  await using bare = await startBareHaproxy(web.address)
  const targets = [
    `http://127.0.0.1:${rack.httpPort}/`,
    `http://${web.address}:3000/`,
    `http://127.0.0.1:${bare.port}/`,
  ]
  const rates: number[][] = [[], [], []]
  for (let round = 0; round < rounds; round++) {
    // Each goes first in turn: the process is slower until it is warm, and a busy machine drifts.
    for (let turn = 0; turn < targets.length; turn++) {
      const index = (round + turn) % targets.length
      rates[index]?.push(await requestsPerSecond(targets[index]!))
    }
  }
  const [router = [], direct = [], haproxy = []] = rates
  console.log(heading)
  console.log(compare('requests/s ÷ direct to the process', router, direct, '≥ 0.6'))
  console.log(compare('requests/s ÷ bare HAProxy', router, haproxy, '≥ 0.95'))
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
async function startBareHaproxy(address: string): Promise<AsyncDisposable & { port: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-bench-'))
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  await writeFile(
    file,
    `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http
  bind 127.0.0.1:${port}
  default_backend web
backend web
  server web ${address}:3000
`,
  )
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  const deadline = Date.now() + 5000
  while (!(await ask({ port, host: 'localhost' }).catch(() => null))) {
    if (Date.now() > deadline) throw new Error('the bare HAProxy did not start')
  }
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
