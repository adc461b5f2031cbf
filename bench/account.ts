import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Plan } from '../src/domain/plan.ts'
import { startAccountRack } from '../test/support/account-rack.ts'
import { change, openKillWorld } from '../test/support/aws-kills.ts'
import { controlFor } from '../test/support/docker-rack.ts'
import { installRack, type InstalledRack } from '../test/support/installed-rack.ts'
import { makeSource } from '../test/support/source.ts'
import { median, ms } from './statistics.ts'

/** At most: a faster clock has more of a deploy be this machine's own time. */
const factor = 5

/**
 * How long a deploy in the fake account takes, against what nobody can shorten: its tasks' own start, by the account's clock and
 * by this machine's containers, the time that a process has to fail in, names that have to be known everywhere and to be
 * forgotten, and nodes of a balancer that follow.
 */
export async function benchAccount({ deploys = 10 }: { deploys?: number }): Promise<void> {
  const world = await openKillWorld({ factor })
  const { account, options } = world.rack
  try {
    await world.anew(async (engine) => {
      let live: Plan | null = null
      const ratios: number[] = []
      for (let number = 0; number <= deploys; number++) {
        const next = world.planFor('measured', 'change')
        account.calls.reset()
        const known = new Set(account.nameChanges.keys())
        const began = performance.now()
        await engine.deploy(change(next, live), controlFor(600_000))
        const took = performance.now() - began
        const calls = account.calls.records.length
        const names = [...account.nameChanges].filter(([id]) => !known.has(id)).map(([, each]) => each)
        const parts = {
          start: await longestStartMs(world, next.release),
          settle: options.intervals?.settle ?? 0,
          names: names.reduce(
            (sum, { inSyncAt, submittedAt }) => sum + (inSyncAt - submittedAt.getTime()) / factor,
            0,
          ),
          forgotten: options.intervals?.nameLife ?? 0,
          nodes: options.intervals?.targets ?? 0,
        }
        const least = Object.values(parts).reduce((sum, part) => sum + part, 0)
        const told = Object.entries(parts).map(([name, part]) => `${name} ${ms(part)}`)
        // The first one has nothing to take over from.
        const isFirst = live === null
        live = next
        const ratio = took / least
        console.log(
          `${isFirst ? 'first' : String(number).padStart(5)}: ${ms(took)}, at least ${ms(least)} (${told.join(', ')}): ${ratio.toFixed(2)}; ${calls} calls`,
        )
        if (!isFirst) ratios.push(ratio)
      }
      console.log(
        `clock ${factor} times as fast; time ÷ least time of ${ratios.length} deploys: median ${median(ratios).toFixed(2)}, most ${Math.max(...ratios).toFixed(2)} (aim ≤ 1.3)`,
      )
    })
    await world.sweepAll()
  } finally {
    await world.rack.close()
  }
}

/** From when a task was asked for to when its process ran, in this machine's time. */
async function longestStartMs(
  { rack: { clients, account } }: Awaited<ReturnType<typeof openKillWorld>>,
  release: string,
): Promise<number> {
  const { cluster } = account.places
  const { taskArns = [] } = await clients.ecs.listTasks({ cluster })
  const { tasks = [] } = await clients.ecs.describeTasks({ cluster, tasks: taskArns, include: ['TAGS'] })
  const own = tasks.filter(({ tags = [] }) => tags.some(({ value }) => value === release))
  return (
    Math.max(...own.map(({ createdAt, startedAt }) => startedAt!.getTime() - createdAt!.getTime())) / factor
  )
}

const compose = (word: string) => `services:
  web:
    build: .
    command: sh -c 'mkdir -p /www && echo ${word} > /www/index.html && exec httpd -f -p 3000 -h /www'
    ports: ["80:3000"]
    stop_grace_period: 1s
    labels: { rack.draining.timeout: 1, rack.deployment.watch: 0 }
    deploy: { resources: { limits: { cpus: "0.05", memory: 32M } } }
`
const settleMs = 20_000

/** The daemon's memory with the clients of AWS loaded, beside that of a machine's: idle, and after ten deploys. */
export async function benchAccountMemory({ deploys = 10 }: { deploys?: number }): Promise<void> {
  const racks: [string, () => Promise<InstalledRack>][] = [
    ['an account', () => startAccountRack()],
    ['one machine', () => installRack()],
  ]
  for (const [kind, open] of racks) {
    await using rack = await open()
    const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
    await delay(settleMs)
    const idle = await memoryOf(daemon.pid)
    await using source = await makeSource({ Dockerfile: 'FROM busybox:1\n' })
    for (let number = 0; number < deploys; number++) {
      await source.write({ 'docker-compose.yml': compose(`word${number}`) })
      await rack.run('deploy', '--app', 'shop', source.path)
    }
    await delay(settleMs)
    console.log(`${kind}: idle ${idle}; after ${deploys} deploys ${await memoryOf(daemon.pid)}`)
  }
}

async function memoryOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  const mebibytes = (name: string) =>
    Math.round(Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1]) / 1024)
  return `RSS ${mebibytes('Rss')}, PSS ${mebibytes('Pss')} MiB`
}

/** Deploys at a time, while apps are made. */
const atOnce = 3
const minuteMs = 60_000

/** What the daemon of a rack in an account asks in a minute, by AWS's own clock, while nobody does anything. */
export async function benchAccountCalls({ apps = 50 }: { apps?: number }): Promise<void> {
  await using rack = await startAccountRack()
  const { calls } = rack.account
  // As often as it would ask AWS.
  const restart = async (clock: number) => {
    await rack.run('stop')
    rack.env['RACK_AWS_CLOCK'] = String(clock)
    await rack.run('start')
  }
  const measure = async (count: number) => {
    await restart(1)
    const isUp = async () => (await rack.json<{ status: string }>('status')).status === 'running'
    while (!(await isUp())) await delay(1000)
    await delay(minuteMs / 2)
    calls.reset()
    await delay(minuteMs)
    const counts = Object.entries(calls.counts()).toSorted(([, a], [, b]) => b - a)
    console.log(
      `${count} apps, nothing done: ${calls.records.length} calls a minute; ${counts.map(([call, of]) => `${call} ${of}`).join(', ')}`,
    )
  }
  await measure(0)
  await restart(10)
  await using source = await makeSource({
    Dockerfile: 'FROM busybox:1\n',
    'docker-compose.yml': compose('word'),
  })
  const names = Array.from({ length: apps }, (_, at) => `app-${at}`)
  const work = async () => {
    for (let name = names.pop(); name !== undefined; name = names.pop())
      await rack.run('deploy', '--app', name, source.path)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await measure(apps)
}
