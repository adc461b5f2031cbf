import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { until } from '../src/lib/poll.ts'
import { tcpProblem } from '../src/lib/tcp-answers.ts'
import { freePort } from '../test/support/installed-rack.ts'

/** A HAProxy of a benchmark's own; it ends when it is disposed. */
export interface BareHaproxy extends AsyncDisposable {
  port: number
  /** Of the system's processors it has used so far, µs. */
  processorUs(): Promise<number>
}

/** Of the system's clock, by which it counts a program's time. */
const usPerTick = 10_000
const local = '127.0.0.1'

/** The least configuration that a person would write. @param tls what follows the port of one that ends TLS */
export function bareConfig(port: number, address: string, tls = ''): string {
  return `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend http
  bind ${local}:${port} ${tls}
  default_backend web
backend web
  server web ${address}:3000
`
}

/** Of the system's processors a program has used so far, µs. */
export async function processorUsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * usPerTick
}

/** Starts one without a master; settles when it takes connections. */
export async function startHaproxy(configFor: (port: number) => string): Promise<BareHaproxy> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-bench-'))
  const port = await freePort()
  const file = join(directory, 'haproxy.cfg')
  await writeFile(file, configFor(port))
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' })
  const { signal } = new AbortController()
  const isUp = async () => (await tcpProblem({ host: local, port }, { deadlineMs: 1000, signal })) === null
  await until(isUp, { deadlineMs: 5000, what: 'a HAProxy to compare with' })
  return {
    port,
    processorUs: () => processorUsOf(child.pid!),
    async [Symbol.asyncDispose]() {
      child.kill()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
