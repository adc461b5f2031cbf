import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { codeOf } from '../../src/domain/error.ts'
import type { AppProcess } from '../../src/domain/process.ts'
import { until } from '../../src/lib/poll.ts'
import { controlFor, dockerSocket } from '../support/docker-rack.ts'
import { installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const compose =
  'services:\n  web:\n    image: busybox:1\n    command: sleep 3600\n    stop_grace_period: 1s\n'

test('what becomes of a detached one-off is known, also when it ended while the daemon was dead', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  await rack.run('deploy', '--app', 'shop', source.path)
  const run = async (...command: string[]) =>
    (await rack.run('run', '--detach', 'web', '--app', 'shop', '--', ...command)).trim()
  const info = async (id: string) => await rack.json<AppProcess>('ps', 'info', id, '--app', 'shop')

  const well = await run('true')
  await until(async () => (await info(well)).ended !== null, { deadlineMs: 20_000, what: 'the first to end' })
  assert.equal((await info(well)).status, 'completed')

  const late = await run('sh', '-c', 'sleep 2; exit 7')
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await until(async () => (await exitCodesOf(late)).includes(7), { deadlineMs: 20_000, what: 'its end' })
  await rack.run('start')
  const isCleared = async () => (await exitCodesOf(late)).length === 0
  await until(isCleared, { deadlineMs: 20_000, what: 'its container to be gone' })
  const { status, detail, exitCode, started, ended } = await info(late)
  assert.deepEqual([status, detail, exitCode], ['crashed', 'crashed (7)', 7])
  assert.ok(Date.parse(ended ?? '') - Date.parse(started ?? '') >= 2000)
  assert.match(await rack.run('ps', 'info', late, '--app', 'shop'), /crashed \(7\)[\s\S]*exit code +7/)
  const all = await rack.json<AppProcess[]>('ps', '--all', '--app', 'shop')
  assert.deepEqual(
    all.map(({ id, exitCode: code }) => [id, code]).filter(([id]) => id === well || id === late),
    [
      [well, 0],
      [late, 7],
    ],
  )
  assert.equal((await rack.json<AppProcess[]>('ps', '--app', 'shop')).length, 1)
  const told = await eventsUntilEndOf(rack, late)
  assert.match(told.at(-1) ?? '', /"noun":"process".*"detail":"crashed \(7\)"/)
  const runsEnded = told.filter((line) => /"noun":"operation".*"kind":"run","status":"complete"/.test(line))
  assert.equal(runsEnded.length, 2, 'of the one that outlived its daemon too')
})

/** What `rack events` says until the end of a process, whichever daemon it was that told it. */
async function eventsUntilEndOf(rack: InstalledRack, id: string): Promise<string[]> {
  const { child, said } = rack.start(['events', '--after', '0', '--json'])
  let seen = ''
  child.stdout?.on('data', (chunk: string) => (seen += chunk))
  const isEnd = (line: string) => line.includes(id) && line.includes('"removed"')
  await until(() => seen.split('\n').some(isEnd), { deadlineMs: 20_000, what: `the event of ${id}` })
  child.kill('SIGINT')
  assert.equal((await said).code, 0)
  const lines = seen.split('\n')
  return lines.slice(0, lines.findIndex(isEnd) + 1)
}

/** Of the containers of a process that have ended, as Docker says it; one that goes meanwhile is not there. */
async function exitCodesOf(id: string): Promise<number[]> {
  const docker = connectDocker({ socketPath: dockerSocket })
  const query = { all: true, filters: { label: [`com.rack.process=${id}`] } }
  const path = '/containers/json'
  const found = await docker.json<{ Id: string }[]>({ path, query }, controlFor(5000))
  const states = found.map(async ({ Id }) => {
    const inspected = { path: `/containers/${Id}/json` }
    try {
      return [
        (await docker.json<{ State: { ExitCode: number } }>(inspected, controlFor(5000))).State.ExitCode,
      ]
    } catch (error) {
      if (codeOf(error) === 'not-found') return []
      throw error
    }
  })
  return (await Promise.all(states)).flat()
}
