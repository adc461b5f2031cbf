import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { RackError } from '../../../src/domain/error.ts'
import { copyFiles } from '../../../src/engines/aws/exec/copy-files.ts'
import { execInTask } from '../../../src/engines/aws/exec/exec.ts'
import { until } from '../../../src/lib/poll.ts'
import { collectTerminal } from '../../support/collect-terminal.ts'
import { controlFor } from '../../support/docker-rack.ts'
import { docker, openExecWorld, type ExecWorld } from '../../support/exec-world.ts'
import { packTar, unpackTar } from '../../support/tar.ts'
import { createAgentOutput, splitCommand } from './agent-output.ts'

test('the agent loses what is no UTF-8', () => {
  const agent = createAgentOutput()
  const sent = [Buffer.from('plain '), Buffer.from([0xff, 0x41, 0xe2, 0x82]), Buffer.from([0xac, 0xe2])]
  const seen = Buffer.concat(sent.map((chunk) => agent.push(chunk)))
  assert.deepEqual(seen, Buffer.concat([Buffer.from('plain '), Buffer.from([0xef, 0x41]), Buffer.from('€')]))
  assert.deepEqual(splitCommand(`/a 'b c' "d"`), ['/a', 'b c', 'd'])
})

describe('a session of exec', { timeout: 120_000 }, () => {
  let world: ExecWorld
  before(async () => {
    world = await openExecWorld()
  })
  after(async () => await world.close())
  const exec = async (command: string[], terminal = collectTerminal(), control = controlFor(60_000)) =>
    await execInTask(world.parts, world.place, { command, terminal: terminal.terminal }, control)
  const shell = (text: string) => ['sh', '-c', text]

  test('has the user, the environment and the directory of process 1', async () => {
    const seen = collectTerminal()
    assert.equal(await exec(shell('id -u; id -g; pwd; echo "$COLOR"; echo wrong >&2; exit 9'), seen), 9)
    assert.deepEqual([seen.stdout(), seen.stderr()], ['1000\n1000\n/tmp\ngreen grass\n', 'wrong\n'])
  })

  test('carries any byte in both directions, whatever the channel loses', async () => {
    const typed = randomBytes(200_000)
    const seen = collectTerminal([typed])
    assert.equal(await exec(['cat'], seen), 0)
    assert.ok(seen.bytes('stdout').equals(typed))
  })

  test('has a terminal of its size where one is asked for', async () => {
    const seen = collectTerminal([Buffer.from('stty size; tty; exit 3\n')], { tty: true })
    assert.equal(await exec(['sh'], seen), 3)
    assert.match(seen.stdout(), /24 80\r\n\/dev\/pts\/\d+\r\n/)
  })

  test('says what cannot be started as a shell does', async () => {
    const seen = collectTerminal()
    assert.equal(await exec(['nosuch'], seen), 127)
    assert.match(seen.stderr(), /nosuch.*not found/)
  })

  test('ends the command when its client goes', async () => {
    const client = new AbortController()
    const started = collectTerminal([], { open: true })
    const control = { ...controlFor(60_000), signal: client.signal }
    const lasting = exec(shell('echo here; exec sleep 1234'), started, control)
    const ended = assert.rejects(lasting)
    await until(() => started.stdout() === 'here\n', { deadlineMs: 20_000, what: 'the command' })
    client.abort(new RackError('cancelled', 'it is enough'))
    await ended
    const isGone = async () => !(await docker('exec', world.name, 'ps')).includes('1234')
    await until(isGone, { deadlineMs: 20_000, intervalMs: 200, what: 'the command to be ended' })
  })

  test('is refused where the container has two; where one of them ends it has the place, with all that goes in', async () => {
    const client = new AbortController()
    const control = { ...controlFor(60_000), signal: client.signal }
    const open = [1, 2].map(() => collectTerminal([], { open: true }))
    const lasting = open.map((terminal) => exec(shell('echo on; exec sleep 1000'), terminal, control))
    const ended = Promise.allSettled(lasting)
    await until(() => open.every((one) => one.stdout() === 'on\n'), { deadlineMs: 20_000, what: 'two' })
    await assert.rejects(exec(['true']), (error) => error instanceof RackError && error.code === 'conflict')
    const waiting = collectTerminal([Buffer.from('for later')])
    const later = exec(['cat'], waiting)
    client.abort(new RackError('cancelled', 'it is enough'))
    await ended
    assert.equal(await later, 0)
    assert.equal(waiting.stdout(), 'for later')
  })

  test('archives go in and come out; what is wrong with them is told', async () => {
    const copy = async (path: string, archive: Parameters<typeof copyFiles>[2]['archive']) =>
      await copyFiles(world.parts, world.place, { path, archive }, controlFor(60_000))
    const big = randomBytes(100_000)
    await copy('/tmp', {
      in: packTar([
        { name: 'box/one', content: big },
        { name: 'box/link', linkname: 'one' },
      ]),
    })
    const chunks: Uint8Array[] = []
    await copy('/tmp/box', { out: async (chunk) => void chunks.push(chunk) })
    const found = await unpackTar(Readable.from(chunks))
    assert.deepEqual(found.map((entry) => entry.name).toSorted(), ['box/', 'box/link', 'box/one'])
    const code = (wanted: string) => (error: unknown) => error instanceof RackError && error.code === wanted
    const drop = async () => undefined
    await assert.rejects(copy('/nowhere', { out: drop }), code('not-found'))
    await assert.rejects(copy('/tmp/box/one/.', { out: drop }), code('conflict'))
    await assert.rejects(copy('/tmp/box/one', { in: packTar([]) }), code('conflict'))
    await assert.rejects(copy('/tmp', { in: Readable.from([Buffer.alloc(700, 1)]) }), code('invalid'))
  })
})
