import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import type { AppProcess } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import { RackError } from '../domain/error.ts'
import type { Operations } from '../operations/operations.ts'
import { serveOperations, tokens } from '../../test/support/scripted-operations.ts'
import { standsStill } from '../../test/support/stands-still.ts'

const exec = { params: { app: 'guestbook', process: 'PAAAAAAAAAA' }, query: { command: ['cat'] } }

interface Collected extends Terminal {
  stdout(): Buffer
  stderr(): Buffer
  resize(size: { rows: number; columns: number }): void
}

/** A terminal of a person who types `input`. */
function terminalOf(input: AsyncIterable<Uint8Array> | null, options: Partial<Terminal> = {}): Collected {
  const chunks: { stdout: Buffer[]; stderr: Buffer[] } = { stdout: [], stderr: [] }
  let onResize: (size: { rows: number; columns: number }) => void = () => undefined
  return {
    tty: false,
    rows: 24,
    columns: 80,
    input,
    output: async (stream, chunk) => void chunks[stream].push(Buffer.from(chunk)),
    onResize: (listener) => {
      onResize = listener
    },
    stdout: () => Buffer.concat(chunks.stdout),
    stderr: () => Buffer.concat(chunks.stderr),
    resize: (size) => onResize(size),
    ...options,
  }
}

async function* typed(...pieces: Uint8Array[]) {
  yield* pieces
}

/** Nothing, for ever. */
async function* silence(): AsyncGenerator<Uint8Array> {
  yield await new Promise<never>(() => undefined)
}

const cat: Operations['execProcess'] = async (_app, _exec, terminal) => {
  for await (const chunk of terminal.input ?? []) await terminal.output('stdout', chunk)
  return 0
}

test('bytes pass both ways unchanged, the end of input too', async () => {
  await using rack = await serveOperations({ execProcess: cat })
  const pieces = Array.from({ length: 40 }, (_, at) => randomBytes(at * 10_000 + 1))
  const terminal = terminalOf(typed(...pieces))
  assert.equal(await rack.client.execProcess(exec, terminal), 0)
  assert.ok(terminal.stdout().equals(Buffer.concat(pieces)))
})

test('a command hears its arguments and its terminal, and its exit code comes back', async () => {
  const command = ['sh', '-c', 'echo "ä & ?"', '']
  await using rack = await serveOperations({
    execProcess: async (app, { process: processId, command: given }, terminal) => {
      const { tty, rows, columns } = terminal
      assert.deepEqual(
        [app, processId, given, tty, rows, columns],
        ['guestbook', 'PAAAAAAAAAA', command, true, 50, 132],
      )
      await terminal.output('stdout', Buffer.from('out'))
      await terminal.output('stderr', Buffer.from('err'))
      return 7
    },
  })
  const terminal = terminalOf(null, { tty: true, rows: 50, columns: 132 })
  assert.equal(await rack.client.execProcess({ ...exec, query: { command } }, terminal), 7)
  assert.equal(terminal.stdout().toString(), 'out')
  assert.equal(terminal.stderr().toString(), 'err')
})

test('a change of size reaches the command', async () => {
  await using rack = await serveOperations({
    execProcess: async (_app, _exec, terminal) => {
      const { promise: resized, resolve } = Promise.withResolvers<{ rows: number; columns: number }>()
      terminal.onResize(resolve)
      await terminal.output('stdout', Buffer.from('ready'))
      assert.deepEqual(await resized, { rows: 10, columns: 20 })
      assert.deepEqual([terminal.rows, terminal.columns], [10, 20])
      return 0
    },
  })
  const terminal = terminalOf(silence(), {
    output: async () => terminal.resize({ rows: 10, columns: 20 }),
  })
  assert.equal(await rack.client.execProcess(exec, terminal), 0)
})

test('a one-off says which process it is', async () => {
  const running = { id: 'PBBBBBBBBBB', type: 'web' } as AppProcess
  await using rack = await serveOperations({
    runProcess: async (app, request) => {
      const expected = { type: 'web', command: ['sh', '-c', 'exit 7'], release: null, timeoutMs: 5000 }
      assert.deepEqual([app, request], ['guestbook', expected])
      return { process: running, exit: Promise.resolve(7) }
    },
  })
  const started: string[] = []
  const query = { type: 'web', command: ['sh', '-c', 'exit 7'], timeoutMs: 5000 }
  const exitCode = await rack.client.attachProcess(
    { params: { app: 'guestbook' }, query },
    terminalOf(null),
    {
      onStarted: ({ id }) => started.push(id),
    },
  )
  assert.equal(exitCode, 7)
  assert.deepEqual(started, ['PBBBBBBBBBB'])
})

test('a client that leaves ends the command', async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>()
  await using rack = await serveOperations({
    execProcess: async (_app, _exec, terminal, control) => {
      await terminal.output('stdout', Buffer.from('ready'))
      await once(control.signal, 'abort')
      end(control.signal.reason)
      throw control.signal.reason
    },
  })
  const leaving = new AbortController()
  const terminal = terminalOf(silence(), { output: async () => leaving.abort(new Error('bored')) })
  await assert.rejects(rack.client.execProcess(exec, terminal, { signal: leaving.signal }), {
    message: 'bored',
  })
  assert.equal(((await ended) as RackError).code, 'cancelled')
})

test('a client that dies while its input waits ends the command too', { timeout: 20_000 }, async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    execProcess: async (_app, _exec, _terminal, control) => {
      await once(control.signal, 'abort')
      end()
      return 0
    },
  })
  const url = `${rack.url.replace('http', 'ws')}/v1/apps/guestbook/processes/PAAAAAAAAAA/exec?command=sleep`
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${tokens.write}` } })
  await once(socket, 'open')
  const frame = Buffer.alloc(64 * 1024)
  for (let at = 0; at < 400; at++) socket.send(frame)
  await standsStill(() => socket.bufferedAmount)
  assert.ok(socket.bufferedAmount > 0, 'the rack took everything from a client whose command reads nothing')
  socket.terminate()
  await ended
})

test('a command whose output nobody takes is held back', async () => {
  let written = 0
  const { promise: mayRead, resolve: read } = Promise.withResolvers<void>()
  await using rack = await serveOperations({
    execProcess: async (_app, _exec, terminal) => {
      const chunk = Buffer.alloc(100_000)
      for (; written < 500; written++) await terminal.output('stdout', chunk)
      return 0
    },
  })
  let bytes = 0
  const output = async (_stream: string, chunk: Uint8Array) => {
    await mayRead
    bytes += chunk.length
  }
  const done = rack.client.execProcess(exec, terminalOf(null, { output }))
  await standsStill(() => written)
  assert.ok(written < 300, `${written} of 500 pieces were made for a client that takes nothing`)
  read()
  assert.equal(await done, 0)
  assert.equal(bytes, 50_000_000)
})

test('a command that cannot run says why', async () => {
  await using rack = await serveOperations({
    execProcess: async () => {
      throw new RackError('not-found', 'no process PAAAAAAAAAA', { hint: 'rack ps' })
    },
  })
  await assert.rejects(rack.client.execProcess(exec, terminalOf(silence())), {
    code: 'not-found',
    message: 'no process PAAAAAAAAAA',
    hint: 'rack ps',
  })
})

test('what is wrong with the request is said before the connection is a terminal', async () => {
  await using rack = await serveOperations({})
  const query = { command: ['x'], signal: 'KILL' } as typeof exec.query
  await assert.rejects(rack.client.execProcess({ ...exec, query }, terminalOf(null)), { code: 'invalid' })
})

test('a terminal wants a token that may write', async () => {
  await using rack = await serveOperations({ execProcess: cat })
  const { createClient } = await import('../client/client.ts')
  const reader = createClient({ url: rack.url, token: tokens.read })
  await assert.rejects(reader.execProcess(exec, terminalOf(null)), { code: 'forbidden' })
  const stranger = createClient({ url: rack.url, token: 'wrong' })
  await assert.rejects(stranger.execProcess(exec, terminalOf(null)), { code: 'unauthorized' })
})

test('a command longer than an address may be is refused with another way', async () => {
  await using rack = await serveOperations({ execProcess: cat })
  const fits = { command: ['sh', '-c', 'x'.repeat(90_000)] }
  assert.equal(await rack.client.execProcess({ ...exec, query: fits }, terminalOf(null)), 0)
  const query = { command: ['sh', '-c', 'x'.repeat(200_000)] }
  await assert.rejects(rack.client.execProcess({ ...exec, query }, terminalOf(null)), { code: 'too-large' })
})

test('a rack that goes away in mid-command is said to have', async () => {
  const rack = await serveOperations({
    execProcess: async (_app, _exec, terminal, control) => {
      await terminal.output('stdout', Buffer.from('ready'))
      await once(control.signal, 'abort')
      return 0
    },
  })
  const terminal = terminalOf(silence(), { output: async () => void rack.close() })
  await assert.rejects(rack.client.execProcess(exec, terminal), { code: 'unreachable' })
})

test('a client that reads nothing does not hold the end of the rack', { timeout: 10_000 }, async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const rack = await serveOperations({
    execProcess: async (_app, _exec, _terminal, control) => {
      begin()
      await once(control.signal, 'abort')
      return 0
    },
  })
  const url = `${rack.url.replace('http', 'ws')}/v1/apps/guestbook/processes/PAAAAAAAAAA/exec?command=sleep`
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${tokens.write}` } })
  await once(socket, 'open')
  await begun
  socket.pause()
  await rack.close()
  socket.terminate()
})
