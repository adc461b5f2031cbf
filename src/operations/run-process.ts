import { admitExtra } from '../domain/admission.ts'
import type { Control } from '../domain/control.ts'
import type { OneOff } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import type { Operation } from '../domain/operation.ts'
import { appOwner, ofApp } from '../domain/owner.ts'
import { planRelease, type ProcessPlan } from '../domain/plan.ts'
import { refuseGone } from '../domain/service-link.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Context } from './context.ts'
import { findApp, liveReleaseOf } from './find.ts'
import { closeFailed } from './journal/carry-out.ts'
import { refuseComing } from './journal/start-operation.ts'
import type { RunRequest, StartedRun } from './operations.ts'
import { readRelease } from './read-release.ts'

/** Runs a one-off of a type, from the live release or a given one. @throws busy while the app comes from elsewhere */
export async function runProcess(
  context: Context,
  app: string,
  { type, command, release, timeoutMs }: RunRequest,
  terminal: Terminal | null,
  control: Control,
): Promise<StartedRun> {
  const { status, release: live } = await findApp(context, app)
  if (status === 'deleting') throw new RackError('conflict', `${app} is being deleted`)
  await refuseComing(context, app)
  const id = release ?? (await liveReleaseOf(context, app))
  const input = await readRelease(context, app, id, { underPolicy: id !== live })
  refuseGone(app, id, input.services)
  const { processes } = planRelease(input)
  const processPlan = processes.find((candidate) => candidate.type === type)
  if (!processPlan) {
    throw new RackError('not-found', `${id} has no process type "${type}"`, {
      hint: `It has: ${processes.map((candidate) => candidate.type).join(', ')}`,
    })
  }
  using _room = await admitRun(context, app, processPlan, control)
  const argv = command.length > 0 ? command : (processPlan.command ?? [])
  const about = { release: id, process: processPlan, command: argv, timeoutMs }
  const oneOff = { owner: appOwner(app), kind: 'one-off' as const, ...about }
  const intent = { release: id, process: type }
  const begin = () => context.store.operations.begin(app, 'run', context.caller.name, intent)
  return await runUnderJournal(context, { oneOff, begin }, terminal, control)
}

/** Holds the room of one more process of a type until it is counted. @throws capacity with `details: Admission` */
export async function admitRun(
  context: Context,
  app: string,
  { type, cpuUnits, memoryBytes }: ProcessPlan,
  control: Control,
): Promise<Disposable> {
  const ask = (capacity: Parameters<typeof admitExtra>[3]) =>
    admitExtra(type, { cpuUnits, memoryBytes }, 1, capacity)
  return await context.admission.admit(app, `a one-off of ${app}/${type}`, ask, control)
}

/** A process to start, and what opens its row. */
export interface JournalledRun {
  oneOff: Omit<OneOff, 'operation'>
  begin: () => Promise<Operation>
}

/** Opens the row, which the end of the process closes, whichever daemon is there then. */
export async function runUnderJournal(
  context: Context,
  { oneOff, begin }: JournalledRun,
  terminal: Terminal | null,
  control: Control,
): Promise<StartedRun> {
  const { running, engine } = context
  running.refuseWhenInterrupted()
  const operation = await begin()
  try {
    return await running.run(operation.id, async (signal) => {
      const either = { ...control, signal: AbortSignal.any([signal, control.signal]) }
      const begun = await engine.run({ ...oneOff, operation: operation.id }, terminal, either)
      return { process: ofApp(begun.process), exit: begun.exit }
    })
  } catch (error) {
    // A daemon that stops leaves the row open; the next start looks whether it has begun to run.
    if (!running.isInterrupted()) await closeFailed(context, operation, error)
    throw error
  }
}
