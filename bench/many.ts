import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { mapBounded } from '../src/lib/semaphore.ts'
import { until } from '../src/lib/poll.ts'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { ask } from '../test/support/load.ts'
import { startPrivateDockerd, type PrivateDockerd } from '../test/support/private-dockerd.ts'
import { makeSource } from '../test/support/source.ts'
import { residentMebibytes } from './resident-memory.ts'
import { heading, median, ms, row } from './statistics.ts'

const usualApps = 50
const rounds = 7
const deploysAtOnce = 4
const settleMs = 10_000

/** A rack on an engine of its own, with so many apps, each of which answers with its own name. */
interface Side {
  dockerd: PrivateDockerd
  rack: InstalledRack
  apps: string[]
}

/** (h) What many apps cost: a rack with one app beside a rack with fifty or more, each on an engine of its own. */
export async function benchMany({ apps = usualApps }: { apps?: number }): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const one = await openSide(stack, 1)
  const many = await openSide(stack, apps)
  for (const side of [one, many]) {
    await mapBounded(side.apps, deploysAtOnce, async (app) => await deploy(side, app, 'first'))
    await assertOwnAnswers(side)
  }
  await delay(settleMs)
  const memory = [await memoryOf(one), await memoryOf(many)] as const
  const deploys = await interleave([one, many], measureDeploy)
  const starts = await interleave([one, many], measureStart)
  const backMs = await measureEngineRestart(many)
  console.log(heading.replace('rack', `${apps} apps`).replace('other', '1 app '))
  console.log(compare('one deploy (median)', deploys, '≤ 1.2'))
  console.log(compare('daemon start until all are back (median)', starts, ''))
  const [small, large] = memory
  console.log(
    row('daemon, resident and idle', `${large} MiB`, `${small} MiB`, large / small, '≤ 100 and 80 MiB'),
  )
  console.log(row('all back after the engine and the daemon', ms(backMs), '–', null, '< 30 s with 50'))
}

async function openSide(stack: AsyncDisposableStack, count: number): Promise<Side> {
  const dockerd = stack.use(await startPrivateDockerd())
  await dockerd.load('busybox:1')
  const options = ['--cpu', '8192', '--memory', '8192M', '--socket', dockerd.socketPath]
  const rack = stack.use(await installRack(options, { poolBits: 16 }))
  return { dockerd, rack, apps: Array.from({ length: count }, (_, index) => `app-${index + 1}`) }
}

async function deploy({ rack }: Side, app: string, version: string): Promise<void> {
  await using source = await makeSource({
    'docker-compose.yml': `services:
  web:
    image: busybox:1
    command: sh -c 'mkdir /www; echo ${app} > /www/index.html; exec httpd -f -p 3000 -h /www'
    environment: { VERSION: ${version} }
    ports: ["80:3000"]
    stop_signal: SIGKILL
    deploy:
      resources: { limits: { memory: 16M } }
    cpu_shares: 8
`,
  })
  await rack.run('deploy', '--app', app, source.path)
}

/** Who goes first takes turns. */
async function interleave(
  sides: [Side, Side],
  measure: (side: Side, round: number) => Promise<number>,
): Promise<[number[], number[]]> {
  const results: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    for (const index of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      results[index].push(await measure(sides[index], round))
    }
  }
  return results
}

/** The whole command, of the app that came last. */
async function measureDeploy(side: Side, round: number): Promise<number> {
  const started = performance.now()
  await deploy(side, side.apps.at(-1)!, `round-${round}`)
  return performance.now() - started
}

/** `rack start` waits until every app was brought back; the copies run all the while. */
async function measureStart({ rack }: Side): Promise<number> {
  await rack.run('stop', '--keep-router')
  const started = performance.now()
  await rack.run('start')
  return performance.now() - started
}

/** The engine stops with all its containers, and the rack: from the engine's new start until every app answers. */
async function measureEngineRestart(side: Side): Promise<number> {
  const { dockerd, rack } = side
  await rack.run('stop')
  await dockerd.end('SIGTERM')
  const started = performance.now()
  await dockerd.start()
  const starting = rack.run('start')
  try {
    await mapBounded(side.apps, side.apps.length, async (app) => {
      const what = `an answer of ${app}`
      await until(async () => await answersOwn(side, app), { deadlineMs: 120_000, intervalMs: 100, what })
    })
    return performance.now() - started
  } finally {
    await starting
    await assertOwnAnswers(side)
  }
}

async function assertOwnAnswers(side: Side): Promise<void> {
  for (const app of side.apps) assert.ok(await answersOwn(side, app), `${app} does not answer`)
}

/** Whether an app answers; another's answer under its name would be worse than none. */
async function answersOwn({ rack }: Side, app: string): Promise<boolean> {
  const answer = await ask({ port: rack.httpPort, host: `${app}.localhost` }).catch(() => null)
  if (answer?.status !== 200) return false
  assert.equal(answer.body, `${app}\n`, `${app} answers with another app's page`)
  return true
}

async function memoryOf({ rack }: Side): Promise<number> {
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  return await residentMebibytes(daemon.pid)
}

function compare(name: string, [one, many]: [number[], number[]], aim: string): string {
  const ratio = median(many.map((value, round) => value / one[round]!))
  return row(name, ms(median(many)), ms(median(one)), ratio, aim)
}
