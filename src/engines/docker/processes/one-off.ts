import type { Control } from '../../../domain/control.ts'
import type { OneOff, RunningOneOff } from '../../../domain/engine.ts'
import type { ExitCode } from '../../../domain/process.ts'
import type { Terminal } from '../../../domain/terminal.ts'
import { mountedVolumes } from '../../../domain/volume.ts'
import { DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import { carry } from './attach.ts'
import {
  createCopy,
  lookAgain,
  removeCopy,
  startCopy,
  maskedRefusal,
  StartError,
  stopCopy,
  toCopy,
  waitForExit,
  type Copy,
} from '../containers/copies.ts'
import { inspectCopy, type FoundCopy } from '../containers/found-copy.ts'
import { ensureNetwork } from '../containers/network.ts'
import { ensureVolumes } from '../containers/volumes.ts'
import type { EngineParts } from '../parts.ts'
import { ownIdentity } from '../deploy/observe.ts'
import { describeProcess } from './list-processes.ts'
import { resizeWith } from './resize.ts'

/** Starts one process outside the formation; its container is removed when it has ended and its log is kept. */
export async function runOneOff(
  parts: EngineParts,
  oneOff: OneOff,
  terminal: Terminal | null,
  control: Control,
): Promise<RunningOneOff> {
  await ensureNetwork(parts, oneOff.owner, control)
  await parts.names.begin(control)
  // Docker itself would make one that nobody could tell from its name to be its owner's.
  await ensureVolumes(parts, { owner: oneOff.owner, volumes: mountedVolumes(oneOff.process) }, control)
  const copy = await create(parts, oneOff, terminal, control)
  // From here on: when Docker is back after a loss, what stands there is adopted, and this one is cared for.
  parts.adopted.add(copy.container)
  try {
    // Attached before it starts, or its first words would be lost.
    const socket = terminal ? await attach(parts, copy, terminal, control) : null
    await startCopy(parts, copy, control)
    if (terminal?.tty) resizeWith(parts.docker, `/containers/${copy.container}/resize`, terminal, control)
    const begun = await lookAgain(parts, copy, control)
    const carried = terminal && socket ? carry(socket, terminal) : Promise.resolve()
    const limits = { timeoutMs: oneOff.timeoutMs, client: terminal ? control.signal : null }
    const exit = heard(parts, finish(parts, begun, carried, limits))
    return { process: describeProcess(begun, parts), exit }
  } catch (error) {
    parts.adopted.delete(copy.container)
    await removeCopy(parts, copy, { signal: AbortSignal.timeout(60_000) })
    throw error instanceof StartError ? maskedRefusal(oneOff.process, error) : error
  }
}

/**
 * Takes up the one-offs that a former daemon left: waits for their end, and keeps what they printed. One that a terminal
 * was joined to is ended: its client went with that daemon.
 */
export function adoptOneOffs(parts: EngineParts, found: FoundCopy[]): void {
  for (const copy of found.filter(isOneOff)) {
    if (parts.adopted.has(copy.container) || parts.inFlight.has(copy.process)) continue
    const ranMs = Date.now() - copy.createdMs
    const timeoutMs = copy.timeoutMs === null ? null : Math.max(0, copy.timeoutMs - ranMs)
    const client = copy.isAttached && copy.pid > 0 ? AbortSignal.abort() : null
    void heard(parts, finish(parts, copy, Promise.resolve(), { timeoutMs, client }))
  }
}

function isOneOff({ kind }: FoundCopy): boolean {
  // Release commands belong to a deploy, which clears up after itself.
  return kind === 'one-off' || kind === 'timer'
}

async function create(
  parts: EngineParts,
  oneOff: OneOff,
  terminal: Terminal | null,
  control: Control,
): Promise<Copy> {
  const { owner, release, process: plan, command, kind, timeoutMs, operation } = oneOff
  const streams = terminal ? streamsOf(terminal) : undefined
  const about = { owner, release, kind, plan, command, timeoutMs, names: [], terminal: streams }
  const identity = ownIdentity(plan)
  try {
    const request = { ...about, operation, identity }
    return await parts.starting.run(() => createCopy(parts, request, control), control.signal)
  } catch (error) {
    throw error instanceof StartError ? maskedRefusal(plan, error) : error
  }
}

function streamsOf({ tty, input, rows, columns }: Terminal) {
  const isSized = tty && rows > 0 && columns > 0
  return { tty, input: input !== null, ...(isSized && { size: { rows, columns } }) }
}

async function attach({ docker }: EngineParts, { container }: Copy, terminal: Terminal, control: Control) {
  const query = { stream: true, stdout: true, stderr: true, stdin: terminal.input !== null }
  return await docker.upgrade({ method: 'POST', path: `/containers/${container}/attach`, query }, control)
}

interface OneOffLimits {
  timeoutMs: number | null
  /** The end of an attached client's signal ends the process. */
  client: AbortSignal | null
}

/** Waits for the end, or brings it about; then the log is copied and the container goes. */
async function finish(
  parts: EngineParts,
  begun: FoundCopy,
  carried: Promise<void>,
  limits: OneOffLimits,
): Promise<ExitCode> {
  const copy = toCopy(begun)
  parts.adopted.add(copy.container)
  const lifetime = { signal: parts.lifetime }
  // A client that goes away breaks the streams: the exit tells what became of the process.
  const given = carried.catch((error: unknown) => parts.onTrouble(error))
  using _client = onAbort(limits.client, () => kill(parts, copy))
  try {
    const exitCode = await endInTime(parts, copy, limits.timeoutMs, lifetime)
    await given
    if (await isKept(parts, { begun, exitCode }, lifetime)) await removeCopy(parts, copy, lifetime)
    return exitCode
  } finally {
    parts.adopted.delete(copy.container)
  }
}

/** Whether its end is written down; until then its container stays, in which the next start finds it. */
async function isKept(
  parts: EngineParts,
  { begun, exitCode }: { begun: FoundCopy; exitCode: ExitCode },
  control: { signal: AbortSignal },
): Promise<boolean> {
  const found = (await inspectCopy(parts.docker, begun.container, control)) ?? begun
  // It never ran, after a crash between its creation and its start.
  if (found.state === 'created') return true
  const ended = found.state === 'exited' ? found : removedMeanwhile(found, exitCode)
  try {
    await parts.onEnded(describeProcess(ended), ended.operation)
    return true
  } catch (error) {
    parts.onTrouble(error)
    return false
  }
}

/** One that somebody else has removed by now, or is removing: who deletes its app, or a person. */
function removedMeanwhile(last: FoundCopy, exitCode: ExitCode): FoundCopy {
  return { ...last, state: 'exited', exitCode, finishedAt: new Date().toISOString() }
}

async function endInTime(
  parts: EngineParts,
  copy: Copy,
  timeoutMs: number | null,
  control: { signal: AbortSignal },
): Promise<ExitCode> {
  const wait = (signal: AbortSignal) => waitForExit(parts, copy.container, { signal })
  if (timeoutMs === null) return await wait(control.signal)
  try {
    return await withDeadline({ deadlineMs: timeoutMs, what: 'a one-off', signal: control.signal }, wait)
  } catch (error) {
    const isLate = error instanceof DeadlineError || (error as Error).cause instanceof DeadlineError
    if (!isLate || control.signal.aborted) throw error
    await stopCopy(parts, copy, control)
    return await wait(control.signal)
  }
}

function kill(parts: EngineParts, copy: Copy): void {
  const request = { method: 'POST', path: `/containers/${copy.container}/kill` } as const
  // It may have ended by itself in this moment, or Docker with it.
  parts.docker.json(request, { signal: parts.lifetime }).catch((error: unknown) => parts.onTrouble(error))
}

function onAbort(signal: AbortSignal | null, task: () => void): Disposable {
  if (signal?.aborted) task()
  signal?.addEventListener('abort', task, { once: true })
  return { [Symbol.dispose]: () => signal?.removeEventListener('abort', task) }
}

/** An exit that nobody waits for may fail, when Docker goes away, without ending the program. */
function heard(parts: EngineParts, exit: Promise<ExitCode>): Promise<ExitCode> {
  exit.catch((error: unknown) => parts.onTrouble(error))
  return exit
}
