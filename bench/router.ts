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
const rounds = 5
const seconds = 3

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
    for (const [index, url] of targets.entries()) rates[index]?.push(await requestsPerSecond(url))
  }
  const [router = 0, direct = 0, haproxy = 0] = rates.map(median)
  console.log(heading)
  console.log(
    row('requests/s ÷ direct to the process', router.toFixed(0), direct.toFixed(0), router / direct, '≥ 0.6'),
  )
  console.log(
    row('requests/s ÷ bare HAProxy', router.toFixed(0), haproxy.toFixed(0), router / haproxy, '≥ 0.95'),
  )
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
