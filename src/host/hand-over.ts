import { cp, mkdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { writeFileAtomically } from '../lib/atomic-file.ts'
import { isThere, programOfProcess, readProcess, readTextIfThere } from '../lib/files.ts'
import { isMissing } from '../lib/missing.ts'
import { findDaemon, startDaemon, stopDaemon, type DaemonProgram } from './daemon.ts'
import { installationPaths, type Installation } from './installation.ts'
import { daemonEnvironment } from './make-installation.ts'
import { enableUnits, hasUnit, programOfUnit, withUnit } from './start-at-boot.ts'

/** `stopped`: the rack has no daemon, and its next one is of this version. */
export type HandOverOutcome = 'handed-over' | 'same' | 'stopped'

/** One rack, the program that its daemon is to be of, and whether a daemon that answers is the one that was meant. */
export interface HandOver {
  installation: Installation
  to: DaemonProgram
  environment: Record<string, string | undefined>
  isItself: () => Promise<boolean>
}

/** A hand-over under way, as a file says it: who is killed in the middle is followed by one who goes on. */
interface Marker {
  from: DaemonProgram
  /** Whether what the store held is kept, whole. */
  isCopied: boolean
  /** The store is being put back. */
  isGoingBack: boolean
}

/**
 * Has another version take over a rack. Apps and router run on meanwhile; what the store held is kept in the rack's
 * `before-update` until the next time, and is put back, with the daemon before, when the new one does not answer. Safe to
 * repeat after a kill at any point.
 * @throws host-failed, cancelled: then the rack runs as before
 */
export async function handOver(order: HandOver, control: Control): Promise<HandOverOutcome> {
  const { installation, to } = order
  const { directory, name } = installation
  await finishGoingBack(directory)
  const marker = await readMarker(directory)
  const running = await findDaemon(directory)
  const environment = await daemonEnvironment(directory, order.environment)
  const isKept = environment['RACK_DATABASE_URL'] === undefined
  if (running === null && marker === null) {
    if (isKept) await copyStore(directory)
    if (await hasUnit(name)) await enableUnits(installation, to)
    return 'stopped'
  }
  const program = running === null ? null : await programOf(running)
  if (program?.node === to.node && program.script === to.script) {
    await removeMarker(directory)
    return 'same'
  }
  const from = marker?.from ?? program!
  const way: Way = { order, from, environment }
  try {
    await goForward(way, { isKept, isCopied: marker?.isCopied ?? false }, control)
    return 'handed-over'
  } catch (error) {
    // The way back must not end with what was interrupted.
    await goBack(way, { ...control, signal: new AbortController().signal })
    throw asBefore(name, error)
  }
}

/** Ends a rack's daemon, where one runs, and starts it again: by then it has read anew what it is told. */
export async function restartDaemon(
  { installation, to, environment }: Omit<HandOver, 'isItself'>,
  control: Control,
): Promise<void> {
  if ((await findDaemon(installation.directory)) === null) return
  await stopOnlyDaemon(installation, control)
  const own = await daemonEnvironment(installation.directory, environment)
  await start(installation, to, own, control)
}

/** Puts the store back where somebody was ended while he did it. Whoever starts a daemon does this first. */
export async function finishGoingBack(directory: string): Promise<void> {
  await finishExchange(directory)
  const marker = await readMarker(directory)
  if (!marker?.isGoingBack) return
  await restoreStore(directory)
  await removeMarker(directory)
}

interface Way {
  order: HandOver
  from: DaemonProgram
  environment: Record<string, string | undefined>
}

async function goForward(
  { order, from, environment }: Way,
  { isKept, isCopied }: { isKept: boolean; isCopied: boolean },
  control: Control,
): Promise<void> {
  const { installation, to } = order
  const { directory } = installation
  await writeMarker(directory, { from, isCopied, isGoingBack: false })
  await stopOnlyDaemon(installation, control)
  if (isKept && !isCopied) {
    await copyStore(directory)
    await writeMarker(directory, { from, isCopied: true, isGoingBack: false })
  }
  await start(installation, to, environment, control)
  if (!(await order.isItself())) throw new RackError('timeout', 'its daemon does not answer as it should')
  control.signal.throwIfAborted()
  await removeMarker(directory)
}

async function goBack({ order, from, environment }: Way, control: Control): Promise<void> {
  const { installation } = order
  const { directory } = installation
  await stopOnlyDaemon(installation, control)
  const marker = await readMarker(directory)
  if (marker?.isCopied) {
    await writeMarker(directory, { ...marker, isGoingBack: true })
    await restoreStore(directory)
  }
  await start(installation, from, environment, control)
  await removeMarker(directory)
}

function asBefore(name: string, error: unknown): unknown {
  if (!(error instanceof RackError)) return error
  const { code, message, hint, details, cause } = error
  const text = code === 'cancelled' ? message : `${name} was not updated: ${message}`
  const advice = { hint: `It runs with the version before. ${hint ?? ''}`.trim() }
  return new RackError(code, text, { ...advice, details, cause: cause ?? error })
}

async function start(
  installation: Installation,
  program: DaemonProgram,
  environment: Record<string, string | undefined>,
  control: Control,
): Promise<void> {
  if (await hasUnit(installation.name)) {
    await enableUnits(installation, program)
    await withUnit(installation.name, 'start')
  }
  await startDaemon(installation, program, environment, control)
}

/** Whoever started it; its router runs on. */
async function stopOnlyDaemon({ name, directory }: Installation, control: Control): Promise<void> {
  await withUnit(name, 'stop-daemon')
  await stopDaemon(directory, control)
}

/** Whole or not there. */
async function copyStore(directory: string): Promise<void> {
  const { store, auditHead, beforeUpdate } = installationPaths(directory)
  const half = `${beforeUpdate}.half`
  await rm(half, { recursive: true, force: true })
  await mkdir(half, { mode: 0o700 })
  for (const path of [store, auditHead]) await copyIfThere(path, join(half, basename(path)))
  await rm(beforeUpdate, { recursive: true, force: true })
  await rename(half, beforeUpdate)
}

/** Safe to repeat: the copy stays what it is. */
async function restoreStore(directory: string): Promise<void> {
  const { store, auditHead, beforeUpdate } = installationPaths(directory)
  const fresh = `${store}.fresh`
  await rm(fresh, { recursive: true, force: true })
  await cp(join(beforeUpdate, basename(store)), fresh, { recursive: true, preserveTimestamps: true })
  await rm(auditHead, { force: true })
  await copyIfThere(join(beforeUpdate, basename(auditHead)), auditHead)
  await rename(fresh, wholeStore(store))
  await finishExchange(directory)
}

/** A store under this name is whole, and takes the place of the other. */
const wholeStore = (store: string): string => `${store}.whole`

async function finishExchange(directory: string): Promise<void> {
  const { store } = installationPaths(directory)
  const whole = wholeStore(store)
  if (!(await isThere(whole))) return
  await rm(store, { recursive: true, force: true })
  await rename(whole, store)
}

/** A rack that never changed anything has no audit. */
async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await cp(from, to, { recursive: true, preserveTimestamps: true })
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}

/** The program that a rack's daemon runs from, or that systemd starts it with; null where neither says. */
export async function whereItRuns({ name, directory }: Installation): Promise<string | null> {
  const running = await findDaemon(directory)
  return running === null ? await programOfUnit(name) : (await programOf(running)).script
}

/** What a daemon runs from. @throws conflict when that is gone: there would be nothing to go back to */
async function programOf(pid: number): Promise<DaemonProgram> {
  const [, script = ''] = ((await readProcess(pid, 'cmdline')) ?? '').split('\0')
  const node = await programOfProcess(pid)
  if (node !== null && !node.endsWith(' (deleted)')) return { node, script: await realpath(script) }
  throw new RackError('conflict', `the daemon (process ${pid}) runs from a folder that is gone`, {
    hint: 'Start it anew first: rack stop --keep-router; rack start',
  })
}

async function readMarker(directory: string): Promise<Marker | null> {
  const text = await readTextIfThere(installationPaths(directory).handOver)
  return text === null ? null : (JSON.parse(text) as Marker)
}

async function writeMarker(directory: string, marker: Marker): Promise<void> {
  await writeFileAtomically(installationPaths(directory).handOver, JSON.stringify(marker), { mode: 0o600 })
}

async function removeMarker(directory: string): Promise<void> {
  await rm(installationPaths(directory).handOver, { force: true })
}
