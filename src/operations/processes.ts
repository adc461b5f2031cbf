import type { Control } from '../domain/control.ts'
import type { Duplex } from '../domain/engine.ts'
import { RackError } from '../domain/error.ts'
import { appOwner, ofApp } from '../domain/owner.ts'
import type { AppProcess, ExitCode, Process, ProcessFilter } from '../domain/process.ts'
import type { Terminal } from '../domain/terminal.ts'
import type { Context } from './context.ts'
import { findApp, liveReleaseOf } from './find.ts'
import type { FileCopy } from './operations.ts'
import { changeLive } from './change-live.ts'
import type { Target } from './read-release.ts'

export async function listProcesses(
  context: Context,
  app: string,
  filter: Omit<ProcessFilter, 'owner'>,
  control: Control,
): Promise<AppProcess[]> {
  await findApp(context, app)
  const running = await context.engine.processes({ ...filter, owner: appOwner(app) }, control)
  const found = running.map(ofApp)
  if (!filter.all) return found
  const known = new Set(found.map(({ id }) => id))
  const ended = await context.store.endings.list(app)
  const isWanted = ({ id, type }: AppProcess) => !known.has(id) && (!filter.type || filter.type === type)
  return [...ended.filter(isWanted), ...found]
}

/** @throws not-found */
export async function getProcess(
  context: Context,
  app: string,
  processId: string,
  control: Control,
): Promise<AppProcess> {
  await findApp(context, app)
  const filter = { owner: appOwner(app), id: processId, stats: true, all: true }
  const [found] = await context.engine.processes(filter, control)
  if (found) return ofApp(found)
  return (await context.store.endings.get(app, processId)) ?? noProcess(app, processId)
}

/** One that is there, to do something with. @throws not-found; conflict when it has ended */
async function findProcess(
  context: Context,
  app: string,
  processId: string,
  control: Control,
): Promise<Process> {
  await findApp(context, app)
  const [found] = await context.engine.processes({ owner: appOwner(app), id: processId, all: true }, control)
  if (found) return found
  if (!(await context.store.endings.get(app, processId))) noProcess(app, processId)
  throw new RackError('conflict', `${processId} of ${app} has ended`, {
    hint: `See what became of it: rack ps info ${processId} --app ${app}`,
  })
}

function noProcess(app: string, processId: string): never {
  throw new RackError('not-found', `${app} has no process ${processId}`, {
    hint: `See them with: rack ps --app ${app}`,
  })
}

/**
 * Stops a process. A copy of a type is replaced, which is a change like any other: admitted, journalled, and ended by a
 * cancel; a one-off simply ends.
 */
export async function stopProcess(
  context: Context,
  app: string,
  processId: string,
  control: Control,
): Promise<void> {
  const { kind, status } = await findProcess(context, app, processId, control)
  if (kind !== 'process') {
    await context.engine.stop(processId, control)
    return
  }
  if (status === 'draining' || status === 'stopping') return
  const findTarget = async (): Promise<Target> => {
    const release = await liveReleaseOf(context, app)
    return { app, release, leaving: [processId], underPolicy: false }
  }
  await changeLive(context, 'stop', { app, actor: context.caller.name, findTarget }, control)
}

export async function execProcess(
  context: Context,
  app: string,
  { process: processId, command }: { process: string; command: string[] },
  terminal: Terminal,
  control: Control,
): Promise<ExitCode> {
  await findProcess(context, app, processId, control)
  return context.engine.exec(processId, command, terminal, control)
}

export async function copyFiles(
  context: Context,
  app: string,
  { process: processId, path, archive }: FileCopy,
  control: Control,
): Promise<void> {
  await findProcess(context, app, processId, control)
  await context.engine.copy(processId, path, archive, control)
}

export async function connectInside(
  context: Context,
  app: string,
  address: { host: string; port: number },
  control: Control,
): Promise<Duplex> {
  await findApp(context, app)
  return await context.engine.connect({ owner: appOwner(app), ...address }, control)
}
