import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Receipt } from '../../src/domain/deployment.ts'
import { connectDocker } from '../../src/engines/docker/client.ts'
import type { AppProcess } from '../../src/domain/process.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor, dockerSocket } from './docker-rack.ts'
import type { InstalledRack } from './installed-rack.ts'
import { ask, startLoad, type LoadResult } from './load.ts'

const wild = fileURLToPath(new URL('../wild/', import.meta.url))

/** An app of `test/wild`, and what is so of it. */
export interface WildApp {
  /** Its folder. */
  name: string
  /** What its file wants to be given. */
  environment?: Record<string, string>
  /** What visitors send along. */
  headers?: Record<string, string>
  /** A text of its files, and what the next version has there instead. */
  change: { file: string; from: string; to: string }
  /** What visitors see of the first version, of the next, and after the rollback. */
  answers: { first: RegExp; next: RegExp; back: RegExp }
  /** Types that the change replaces. */
  replaced: string[]
  /** The type of which a copy is killed. */
  killed: string
  /** The type that is restarted; all of them when absent. */
  restarted?: string
  /** Its visitors wait while a copy makes place for the next one. */
  isHeld?: true
  /** What else is so of the first version. */
  look?: (live: LiveApp) => Promise<void>
  /** What is done meanwhile, and what has come of it in the end. */
  meanwhile?: (live: LiveApp) => Promise<() => Promise<void>>
}

/** An app that runs. */
export interface LiveApp {
  rack: InstalledRack
  name: string
  visit: (path?: string, method?: string) => Promise<{ status: number; body: string }>
  processes: () => Promise<AppProcess[]>
}

/**
 * Takes an app through its life, as its user would: check, deploy, a changed release under load, rollback, the kill of a
 * copy, restart. No visitor is lost but by the kill.
 */
export async function liveThrough(rack: InstalledRack, app: WildApp): Promise<void> {
  const { name, environment = {}, answers } = app
  await using source = await copySource(name)
  const named = ['--app', name]
  const deploy = async () => receiptOf(await rack.run('deploy', ...named, '--json', source.path))
  const live = liveApp(rack, app)
  const of = app.restarted === undefined ? [] : ['--type', app.restarted]
  const answersAs = async (expected: RegExp) => {
    const asked = async () => expected.test((await live.visit()).body)
    await until(asked, { deadlineMs: 20_000, what: `${name} to answer ${String(expected)}` })
  }

  const checked = await rack.json<{ isValid: boolean }>('manifest', 'check', source.path)
  assert.equal(checked.isValid, true)
  await rack.run('apps', 'create', name)
  const values = Object.entries(environment).map(([variable, value]) => `${variable}=${value}`)
  if (values.length > 0) await rack.run('env', 'set', ...values, ...named)
  await deploy()
  await answersAs(answers.first)
  await app.look?.(live)

  const finish = await app.meanwhile?.(live)
  const visitors = startVisits(rack, app)
  await source.change(app.change)
  const changed = await deploy()
  await answersAs(answers.next)
  const rolledBack = receiptOf(await rack.run('releases', 'rollback', ...named, '--json'))
  await answersAs(answers.back)
  checkVisits(await visitors.stop(), [changed, rolledBack], app)
  for (const receipt of [changed, rolledBack]) assert.deepEqual(receipt.replaced.toSorted(), app.replaced)

  await killCopy(live, app.killed)
  await answersAs(answers.back)
  const later = startVisits(rack, app)
  const restarted = receiptOf(await rack.run('restart', ...of, ...named, '--json'))
  await answersAs(answers.back)
  checkVisits(await later.stop(), [restarted], app)
  await finish?.()
  await rack.run('apps', 'delete', name, '--volumes', '--yes')
}

function liveApp(rack: InstalledRack, { name, headers = {} }: WildApp): LiveApp {
  return {
    rack,
    name,
    visit: (path = '/', method = 'GET') =>
      ask({ port: rack.httpPort, host: `${name}.localhost`, path, method, headers }),
    processes: async () => await rack.json<AppProcess[]>('ps', '--app', name),
  }
}

const startVisits = (rack: InstalledRack, { name, headers = {} }: WildApp) =>
  startLoad({ port: rack.httpPort, host: `${name}.localhost`, headers, connections: 4, restMs: 10 })

function checkVisits(visits: LoadResult, receipts: Receipt[], { name, isHeld }: WildApp): void {
  assert.deepEqual(visits.failures, {}, name)
  assert.ok(visits.requests > 0, `nobody visited ${name}`)
  for (const { failed, held } of receipts) {
    // A copy that takes long to leave is counted behind the answer, which then has no counts.
    assert.equal(failed ?? 0, 0, name)
    if (isHeld) assert.ok((held ?? 0) > 0, `nobody waited at ${name}`)
  }
}

/** The source is of the test's own: it is changed. */
export async function copySource(name: string) {
  const path = await mkdtemp(join(tmpdir(), `rack-wild-${name}-`))
  await cp(join(wild, name), path, { recursive: true })
  return {
    path,
    async change({ file, from, to }: WildApp['change']) {
      const text = await readFile(join(path, file), 'utf8')
      assert.ok(text.includes(from), `${file} has no "${from}"`)
      await writeFile(join(path, file), text.replace(from, to))
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

/** The last line of NDJSON. */
function receiptOf(said: string): Receipt {
  const lines = said.trim().split('\n')
  return (JSON.parse(lines.at(-1) ?? '') as { result: { receipt: Receipt } }).result.receipt
}

/** Ends a copy behind the rack's back, and waits until another, or the same one again, runs in its place. */
async function killCopy(live: LiveApp, type: string): Promise<void> {
  const running = async () =>
    (await live.processes()).filter((copy) => copy.type === type && copy.status === 'running')
  const [copy, ...others] = await running()
  assert.ok(copy, `no ${type} of ${live.name} runs`)
  const docker = connectDocker({ socketPath: dockerSocket })
  const query = { filters: { label: [`com.rack.process=${copy.id}`] } }
  const [container] = await docker.json<{ Id: string }[]>(
    { path: '/containers/json', query },
    controlFor(10_000),
  )
  await docker.json({ method: 'POST', path: `/containers/${container?.Id}/kill` }, controlFor(10_000))
  const isBack = async () => (await running()).length > others.length
  await until(isBack, { deadlineMs: 30_000, what: `a ${type} of ${live.name} after the kill` })
}
