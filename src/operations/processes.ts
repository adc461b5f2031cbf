import { admitExtra } from '../domain/admission.ts'
import type { Control } from '../domain/control.ts'
import type { LogLine, LogQuery, RunningOneOff } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { planRelease } from '../domain/plan.ts'
import type { ExitCode, Process, ProcessFilter } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Context } from './context.ts'
import { findApp, liveReleaseOf } from './find.ts'
import type { RunRequest } from './operations.ts'
import { readRelease } from './read-release.ts'

export async function listProcesses(
  context: Context,
  app: string,
  filter: Omit<ProcessFilter, 'app'>,
  control: Control,
): Promise<Process[]> {
  await findApp(context, app)
  return context.engine.processes({ ...filter, app }, control)
}

/** @throws not-found */
export async function getProcess(
  context: Context,
  app: string,
  process: string,
  control: Control,
): Promise<Process> {
  return await findProcess(context, app, process, { stats: true }, control)
}

/** A sample of cpu and memory takes a second or two, so only who shows it asks for it. */
async function findProcess(
  context: Context,
  app: string,
  process: string,
  { stats }: { stats: boolean },
  control: Control,
): Promise<Process> {
  const [found] = await listProcesses(context, app, { id: process, stats, all: true }, control)
  if (found) return found
  throw new RackError('not-found', `${app} has no process ${process}`, {
    hint: `See them with: rack ps --app ${app}`,
  })
}

export async function stopProcess(
  context: Context,
  app: string,
  process: string,
  control: Control,
): Promise<void> {
  await findProcess(context, app, process, { stats: false }, control)
  await context.engine.stop(process, control)
}

/** Runs a one-off of a type, from the live release or a given one. */
export async function runProcess(
  context: Context,
  app: string,
  { type, command, release, timeoutMs }: RunRequest,
  terminal: Terminal | null,
  control: Control,
): Promise<RunningOneOff> {
  const { status, release: live } = await findApp(context, app)
  if (status === 'deleting') throw new RackError('conflict', `${app} is being deleted`)
  const id = release ?? (await liveReleaseOf(context, app))
  const { processes } = planRelease(await readRelease(context, app, id, { underPolicy: id !== live }))
  const process = processes.find((candidate) => candidate.type === type)
  if (!process) {
    throw new RackError('not-found', `${id} has no process type "${type}"`, {
      hint: `It has: ${processes.map((candidate) => candidate.type).join(', ')}`,
    })
  }
  const each = { cpuUnits: process.cpuUnits, memoryBytes: process.memoryBytes }
  using _room = await context.desk.admit(
    app,
    `a one-off of ${app}/${type}`,
    (capacity) => admitExtra(type, each, 1, capacity),
    control,
  )
  const argv = command.length > 0 ? command : (process.command ?? [])
  return await context.engine.run(
    { app, release: id, process, command: argv, kind: 'one-off', timeoutMs },
    terminal,
    control,
  )
}

export async function execProcess(
  context: Context,
  app: string,
  { process, command }: { process: string; command: string[] },
  terminal: Terminal,
  control: Control,
): Promise<ExitCode> {
  await findProcess(context, app, process, { stats: false }, control)
  return context.engine.exec(process, command, terminal, control)
}

export async function* appLogs(
  context: Context,
  app: string,
  query: Omit<LogQuery, 'app'>,
  control: Control,
): AsyncIterable<LogLine> {
  await findApp(context, app)
  yield* context.engine.logs({ ...query, app }, control)
}
