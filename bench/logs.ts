import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { appOwner } from '../src/domain/owner.ts'
import { selectRack } from '../src/cli/select-rack.ts'
import { until } from '../src/lib/poll.ts'
import { unixPath } from '../src/lib/unix-url.ts'
import { controlFor, openDockerRack } from '../test/support/docker-rack.ts'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { processPlan } from '../test/support/plans.ts'
import { makeSource } from '../test/support/source.ts'
import { residentMebibytes } from './resident-memory.ts'
import { heading, median, row } from './statistics.ts'

const execute = promisify(execFile)
const image = 'busybox:1'
const rounds = 5
const lines = 100_000
const text = 'a line of a process that has much to say, as they do when something goes wrong'
const loud = ['sh', '-c', `yes "${text}" | head -n ${lines}; echo last`]
const followers = 200

/** (f) How fast a loud process's log is kept, and what followers that never read cost the daemon. */
export async function benchLogs(): Promise<void> {
  await benchKeeping()
  await benchFollowers()
}

async function benchKeeping(): Promise<void> {
  const rack = await openDockerRack()
  try {
    const digest = await rack.image(image)
    const [ours, theirs, load]: number[][] = [[], [], []]
    for (let round = 0; round < rounds; round++) {
      // Each goes first in turn: a busy machine drifts.
      const steps = [
        async () => {
          const { rate, cpu } = await keptPerSecond(rack, digest, `bench-${round}`)
          ours!.push(rate)
          load!.push(cpu)
        },
        async () => theirs!.push(await followedPerSecond()),
      ]
      for (const step of round % 2 === 0 ? steps : steps.reverse()) await step()
    }
    const ratio = median(ours!.map((rate, round) => rate / theirs![round]!))
    console.log(heading)
    const [kept, followed] = [median(ours!).toFixed(0), median(theirs!).toFixed(0)]
    console.log(row('lines/s kept ÷ `docker logs -f`', kept, followed, ratio, '≥ 0.8'))
    console.log(`processor time of the keeping: ${(median(load!) * 1e6).toFixed(1)} µs a line`)
  } finally {
    await rack.close()
  }
}

/** Until the last line can be read. */
async function keptPerSecond(rack: Awaited<ReturnType<typeof openDockerRack>>, digest: string, app: string) {
  const plan = processPlan({ image: digest, memoryBytes: 32 * 2 ** 20, command: ['true'] })
  const oneOff = {
    owner: appOwner(app),
    release: 'RAAAAAAAAAA',
    process: plan,
    command: loud,
    kind: 'one-off' as const,
    operation: 'OAAAAAAAAAA',
    timeoutMs: null,
  }
  const { exit } = await rack.engine.run(oneOff, null, controlFor(120_000))
  const [start, before] = [performance.now(), process.cpuUsage()]
  const newest = async () => {
    const query = { app, tail: 1, follow: false }
    const [line] = await Array.fromAsync(rack.engine.logs(query, controlFor(60_000)))
    return line?.text === 'last'
  }
  await until(newest, { deadlineMs: 120_000, what: 'the last line' })
  const rate = (lines / (performance.now() - start)) * 1000
  const { user, system } = process.cpuUsage(before)
  await exit
  await rack.engine.remove(appOwner(app), { volumes: false }, controlFor(60_000))
  return { rate, cpu: (user + system) / 1e6 / lines }
}

async function followedPerSecond(): Promise<number> {
  const options = ['--log-opt', 'max-size=32m', '--log-opt', 'max-file=3']
  const { stdout } = await execute('docker', ['run', '--detach', ...options, image, ...loud])
  const id = stdout.trim()
  const start = performance.now()
  const child = spawn('docker', ['logs', '--follow', id], { stdio: 'ignore' })
  await once(child, 'exit')
  const rate = (lines / (performance.now() - start)) * 1000
  await execute('docker', ['rm', '--force', id])
  return rate
}

async function benchFollowers(): Promise<void> {
  await using rack = await installRack()
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    image: ${image}
    command: sh -c 'while true; do yes "${text}" | head -n 2000; sleep 0.1; done'
    stop_signal: SIGKILL
`,
  })
  await rack.run('deploy', '--app', 'bench', source.path)
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  const before = await residentMebibytes(daemon.pid)
  const requests = await Promise.all(Array.from({ length: followers }, () => follow(rack)))
  const peaks: number[] = []
  const end = performance.now() + 30_000
  await until(
    async () => {
      peaks.push(await residentMebibytes(daemon.pid))
      return performance.now() > end
    },
    { deadlineMs: 60_000, intervalMs: 500, what: 'half a minute' },
  )
  for (const each of requests) each.destroy()
  const highest = Math.max(...peaks)
  console.log(
    `daemon RSS: ${before} MiB; with ${followers} followers that never read, highest of 30 s: ${highest} MiB`,
  )
}

/** Settles when the answer has begun; nobody reads it. */
async function follow(rack: InstalledRack) {
  const { url, token } = selectRack(undefined, rack.env)
  const asked = request({
    socketPath: unixPath(url)!,
    path: '/v1/apps/bench/logs?follow=true',
    headers: { authorization: `Bearer ${token}` },
    agent: false,
  })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.pause()
  response.on('error', () => undefined)
  return response
}
