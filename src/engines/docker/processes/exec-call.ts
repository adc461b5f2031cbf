import type { Socket } from 'node:net'
import { until } from '../../../lib/poll.ts'
import type { DockerClient } from '../client.ts'
import { readFrames } from '../logs/frames.ts'

type Signalled = { signal: AbortSignal }

export interface ExecRequest {
  container: string
  command: string[]
  tty: boolean
  input: boolean
  /** Of a TTY. */
  size?: { rows: number; columns: number }
}

export interface RunningExec {
  id: string
  /** Both directions; multiplexed without a TTY. */
  socket: Socket
}

/** Starts a command inside a container, with its streams attached. */
export async function startExec(
  docker: DockerClient,
  request: ExecRequest,
  control: Signalled,
): Promise<RunningExec> {
  const { container, command, tty, input, size } = request
  const body = { Cmd: command, Tty: tty, AttachStdin: input, AttachStdout: true, AttachStderr: true }
  const path = `/containers/${container}/exec`
  const { Id } = await docker.json<{ Id: string }>({ method: 'POST', path, body }, control)
  const start = { Detach: false, Tty: tty, ...(size ? { ConsoleSize: [size.rows, size.columns] } : {}) }
  const socket = await docker.upgrade({ method: 'POST', path: `/exec/${Id}/start`, body: start }, control)
  return { id: Id, socket }
}

/** The exit code, once the command has ended. */
export async function execExitCode(docker: DockerClient, id: string, control: Signalled): Promise<number> {
  // Docker closes the streams a moment before it knows the code.
  const look = async () => {
    const { Running, ExitCode } = await inspectExec(docker, id, control)
    return Running || ExitCode === null ? null : { code: ExitCode }
  }
  const wait = {
    deadlineMs: 10_000,
    intervalMs: 20,
    what: 'the exit code of a command',
    signal: control.signal,
  }
  return (await until(look, wait)).code
}

/** The pid is the host's. */
export async function inspectExec(
  docker: DockerClient,
  id: string,
  control: Signalled,
): Promise<{ Running: boolean; ExitCode: number | null; Pid: number }> {
  return await docker.json({ path: `/exec/${id}/json` }, control)
}

/** Runs a short command and gives its exit code with the beginning of what it printed. */
export async function runCheck(
  docker: DockerClient,
  container: string,
  command: string[],
  control: Signalled,
): Promise<{ code: number; text: string }> {
  const { id, socket } = await startExec(docker, { container, command, tty: false, input: false }, control)
  let text = ''
  for await (const { bytes } of readFrames(socket)) if (text.length < 500) text += bytes.toString('utf8')
  return { code: await execExitCode(docker, id, control), text: text.trim() }
}
