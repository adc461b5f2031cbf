import { connect } from 'node:net'
import type { Control } from '../../../domain/control.ts'
import type { Duplex } from '../../../domain/engine.ts'
import { RackError } from '../../../domain/error.ts'
import { abortable, startDeadline } from '../../../lib/deadline.ts'
import { findCopies } from '../containers/found-copy.ts'
import type { EngineParts } from '../parts.ts'

const connectDeadlineMs = 10_000

/** Opens a connection to a copy by the name under which the app's own processes reach it, or by its process id. */
export async function connectInside(
  parts: EngineParts,
  { app, host, port }: { app: string; host: string; port: number },
  control: Control,
): Promise<Duplex> {
  const found = await findCopies(parts.docker, parts.rack, { app }, control)
  const running = found.filter(({ state, address }) => state === 'running' && address !== null)
  const target = running.find(({ process, aliases }) => process === host || aliases.includes(host))
  if (!target?.address) {
    throw new RackError('unreachable', `nothing in ${app} answers to ${host}`, {
      hint: `List it with: rack ps --app ${app}`,
    })
  }
  const socket = connect({ host: target.address, port, signal: control.signal })
  using deadline = startDeadline({
    deadlineMs: connectDeadlineMs,
    what: `${host}:${port}`,
    signal: control.signal,
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('connect', resolve)
  socket.on('error', reject)
  try {
    await abortable(promise, deadline.signal)
  } catch (error) {
    socket.destroy()
    throw new RackError('unreachable', `nothing listens at ${host}:${port} of ${app}`, { cause: error })
  }
  return {
    async input(chunk) {
      if (socket.write(chunk)) return
      const drained = Promise.withResolvers<void>()
      socket.once('drain', drained.resolve)
      socket.once('close', drained.resolve)
      await drained.promise
    },
    end: () => void socket.end(),
    output: socket,
    close: () => void socket.destroy(),
  }
}
