import { once } from 'node:events'
import { connect } from 'node:net'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { withDeadline } from '../lib/deadline.ts'
import { until } from '../lib/poll.ts'

const commandDeadlineMs = 10_000

/** Longer than a master needs to listen again, a worker to begin, and a master to notice that a worker has ended. */
const restartMs = 3000

export interface Master {
  /** Of its socket. */
  path: string
  isThere: () => Promise<boolean>
}

/**
 * Sends a command to a master, or through it to one of its workers, and gives the answer.
 *
 * @throws host-failed when nobody answers
 */
export async function sendCommand(
  { path, isThere }: Master,
  command: string,
  control: Control,
): Promise<string> {
  const end = performance.now() + restartMs
  const talk = async (signal: AbortSignal): Promise<{ reply: string } | null> => {
    try {
      return { reply: heard(await exchange(path, command, signal)) }
    } catch (error) {
      if (performance.now() > end || !mayPass(error, command) || !(await isThere())) throw error
      return null
    }
  }
  const options = { deadlineMs: commandDeadlineMs, what: 'the router to answer' }
  return await inTime(async (signal) => (await until(talk, { ...options, signal })).reply, control)
}

/** The reply, where somebody gave one: HAProxy answers with a line at least, and its master for a worker that it did not reach. */
function heard(reply: string): string {
  if (reply === '') throw Object.assign(new Error('the answer was cut'), { code: 'ECONNRESET' })
  if (!reply.startsWith("Can't connect to the target")) return reply
  throw Object.assign(new Error('the worker does not listen'), { code: 'ECONNREFUSED' })
}

/**
 * A master that has just started, or reloads, replaces itself by a new program and opens its socket again: for a moment
 * nobody listens, or a connection is cut. So it is with a worker that just comes, or just goes. What was cut may have been
 * carried out, so only questions are asked again.
 */
function mayPass(error: unknown, command: string): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return true
  return (code === 'ECONNRESET' || code === 'EPIPE') && /^(@!\d+ )?show /.test(command)
}

async function inTime<T>(talk: (signal: AbortSignal) => Promise<T>, { signal }: Control): Promise<T> {
  try {
    return await withDeadline({ deadlineMs: commandDeadlineMs, what: 'the router to answer', signal }, talk)
  } catch (error) {
    signal.throwIfAborted()
    throw new RackError('host-failed', 'the router does not answer on its control socket', {
      hint: 'Its log is router.log in its directory.',
      cause: error,
    })
  }
}

function exchange(path: string, command: string, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let reply = ''
  // The master answers when our side has ended, and ends its own when the answer is whole.
  const socket = connect({ path, allowHalfOpen: true, signal }, () => socket.end(`${command}\n`))
  socket.setEncoding('utf8')
  socket.on('data', (piece: string) => (reply += piece))
  socket.on('end', () => resolve(reply))
  socket.on('error', reject)
  return promise.finally(() => socket.destroy())
}

/** An open session of its control channel is a connection that the worker waits for. */
export async function holdWorker(path: string, control: Control): Promise<Disposable> {
  const socket = connect({ path })
  try {
    await inTime(async (signal) => {
      // The control channel's own deadline for silence is far shorter than a stream may last.
      socket.write('prompt\nset timeout cli 1d\n')
      await once(socket, 'data', { signal })
    }, control)
  } catch (error) {
    socket.destroy()
    throw error
  }
  // The worker may be killed while it is held.
  socket.on('error', () => socket.destroy())
  // Its answers are nobody's, and it must not keep the program.
  socket.resume().unref()
  return { [Symbol.dispose]: () => socket.destroy() }
}
