import { RackError } from '../domain/error.ts'
import type { AppProcess, ExitCode } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import {
  channels,
  decodeFrame,
  encodeFrame,
  encodeJsonFrame,
  frameJson,
  splitFrames,
} from './contract/frames.ts'
import type { Problem } from './contract/problem.ts'
import { problemError } from './read-problem.ts'
import type { TransportSocket } from './transport.ts'

/** Joins a terminal to a command on the rack until the command ends; binary-safe, with back-pressure both ways. */
export async function runTerminal(
  url: URL,
  socket: TransportSocket,
  terminal: Terminal,
  onStarted: (oneOff: AppProcess) => void = () => {},
): Promise<ExitCode> {
  terminal.onResize((size) => void socket.send(encodeJsonFrame(channels.resize, size)))
  const input = sendInput(socket, terminal)
  try {
    for await (const message of socket.messages) {
      const { channel, content } = decodeFrame(message)
      if (channel === channels.output) await terminal.output('stdout', content)
      else if (channel === channels.error) await terminal.output('stderr', content)
      else if (channel === channels.started) onStarted(frameJson(content) as AppProcess)
      else if (channel === channels.exit) return (frameJson(content) as { exitCode: ExitCode }).exitCode
      else if (channel === channels.problem) throw problemError(frameJson(content) as Problem)
      // A newer rack may use channels that this client does not know.
    }
  } finally {
    input.stop()
    socket.close()
  }
  if (input.failure) throw input.failure
  throw new RackError('unreachable', `the rack at ${url.host} went away before the command ended`)
}

interface InputPump {
  readonly failure: Error | null
  stop(): void
}

function sendInput(socket: TransportSocket, terminal: Terminal): InputPump {
  const iterator = terminal.input?.[Symbol.asyncIterator]()
  let failure: Error | null = null
  let isStopped = false

  const pump = async () => {
    try {
      for (let next = await iterator?.next(); next && next.done !== true; next = await iterator?.next()) {
        if (isStopped) return
        for (const frame of splitFrames(channels.input, next.value)) await socket.send(frame)
      }
      if (!isStopped) await socket.send(encodeFrame(channels.endOfInput))
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error))
      socket.close()
    }
  }
  void pump()

  return {
    get failure() {
      return failure
    },
    stop() {
      isStopped = true
      // Not awaited: a person who types nothing would hold it for ever.
      iterator?.return?.().catch((error: unknown) => {
        failure ??= error as Error
      })
    },
  }
}
