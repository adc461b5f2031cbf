import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TimerRun } from '../../src/domain/timer.ts'
import { until } from '../../src/lib/poll.ts'
import { installRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const compose = `services:
  web:
    image: busybox:1
    command: sleep 3600
    stop_grace_period: 1s
    labels:
      rack.cron.tick: "* * * * * echo the time has come; exit 3"
      rack.cron.long: "0 0 1 1 * echo begun; sleep 3; echo ended"
      rack.cron.long.timezone: Europe/Berlin
`
const app = ['--app', 'shop']

test('timers run at their time, and outlive their daemon', async () => {
  await using rack = await installRack()
  await using source = await makeSource({ 'docker-compose.yml': compose })
  const history = async (timer: string) => await rack.json<TimerRun[]>('timers', 'history', timer, ...app)
  const check = await rack.run('manifest', 'check', source.path)
  assert.match(
    check,
    /TIMER +PROCESS +TIMES +NEXT[\s\S]*\nlong +web +0 0 1 1 \* +\d{4}-01-01 00:00 Europe\/Berlin/,
  )
  const { stderr } = await rack.attempt(['deploy', ...app, source.path])
  assert.match(stderr, /the timer tick of web runs next at \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in /)

  const id = (await rack.run('timers', 'run', 'long', ...app)).trim()
  const { daemon } = await rack.json<{ daemon: { pid: number } }>('status')
  process.kill(daemon.pid, 'SIGKILL')
  await rack.run('start')
  const isOver = async () => (await history('long'))[0]?.status === 'complete'
  await until(isOver, { deadlineMs: 20_000, what: 'the run that outlived its daemon' })
  const [long] = await history('long')
  assert.deepEqual([long?.processId, long?.exitCode, long?.actor], [id, 0, 'install'])
  assert.match(await rack.run('logs', '--process', id, ...app), /begun\n[\s\S]*ended\n/)

  const hasTicked = async () => (await history('tick')).find(({ status }) => status === 'complete')
  const tick = await until(hasTicked, { deadlineMs: 70_000, what: 'a minute to come', intervalMs: 500 })
  assert.deepEqual([tick.exitCode, tick.missed, tick.actor], [3, 0, 'schedule'])
  assert.match(await rack.run('logs', '--process', tick.processId ?? '', ...app), /the time has come/)
  assert.match(await rack.run('timers', ...app), /^tick +web +\* \* \* \* \* .* exit 3, /m)
})
