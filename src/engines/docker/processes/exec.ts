import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { readProcess } from '../../../lib/files.ts'
import { until } from '../../../lib/poll.ts'
import { endProcessTree } from '../../../lib/process-tree.ts'
import { carry } from './attach.ts'
import { cancelled } from '../../common/cancelled.ts'
import type { DockerClient } from '../client.ts'
import { execExitCode, inspectExec, startExec } from './exec-call.ts'
import { inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { resizeWith } from './resize.ts'

const endGraceMs = 2000

/** Runs a command inside a running container on a terminal; a lost client ends the command. */
export async function execInCopy(
  docker: DockerClient,
  copy: FoundCopy,
  request: { command: string[]; terminal: Terminal },
  control: Control,
): Promise<ExitCode> {
  const { command, terminal } = request
  const { container } = copy
  const state = copy.state === 'paused' ? await stateOnceThawed(docker, container, control) : copy.state
  if (state !== 'running') {
    throw new RackError('conflict', `the process ${copy.process} does not run (${state})`, {
      hint: 'List what runs with: rack ps',
    })
  }
  const { tty, rows, columns } = terminal
  const size = tty ? { rows, columns } : undefined
  const asked = { container, command, tty, input: terminal.input !== null, size }
  const { id, socket } = await startExec(docker, asked, control)
  if (tty) resizeWith(docker, `/exec/${id}/resize`, terminal, control)
  try {
    await carry(socket, terminal)
    return await execExitCode(docker, id, control)
  } catch (error) {
    await endExec(docker, id, container)
    if (control.signal.aborted) throw cancelled(control.signal, 'the command was ended')
    throw error
  }
}

/** A copy that is getting its names is frozen for a moment. */
async function stateOnceThawed(docker: DockerClient, container: string, control: Control): Promise<string> {
  const look = async () => {
    const found = await inspectCopy(docker, container, control)
    return found?.state === 'paused' ? null : (found?.state ?? 'gone')
  }
  return await until(look, { deadlineMs: 5000, what: 'a frozen process to go on', signal: control.signal })
}

/** Docker cannot end an exec: its process is signalled from the host, if it can be seen from here. */
async function endExec(docker: DockerClient, id: string, container: string): Promise<void> {
  // Its own signal: the caller's has ended.
  const { Running, Pid } = await inspectExec(docker, id, { signal: AbortSignal.timeout(10_000) })
  if (!Running || Pid < 2 || !(await belongsTo(Pid, container))) return
  await endProcessTree(Pid, endGraceMs)
}

/** Docker may run elsewhere, and then its pid means another process here: the control group names the container. */
async function belongsTo(pid: number, container: string): Promise<boolean> {
  return (await readProcess(pid, 'cgroup'))?.includes(container) ?? false
}
