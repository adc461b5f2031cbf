import { mkdir } from 'node:fs/promises'
import type { Logger } from 'pino'
import { createServer } from '../api/server.ts'
import type { Control } from '../domain/control.ts'
import { installationPaths, type Installation } from '../host/installation.ts'
import { openPolicy } from '../host/policy-file.ts'
import { openObjects } from '../objects/directory.ts'
import { createOperations } from '../operations/create-operations.ts'
import { openStore } from '../store/open-store.ts'
import { version } from './version.ts'
import { openMachine, rackSettings } from './machine.ts'
import { supervise } from './supervise.ts'
import { takeInTokens } from './tokens.ts'

export interface RunningRack extends AsyncDisposable {
  /** Where the API answers. */
  address: string
}

/**
 * Wires one rack: store, objects, router, engine, operations, API. Settles when the API answers; what a dead daemon
 * left is taken up behind it, and the rack says `converging` until that is done.
 */
export async function startRack(
  installation: Installation,
  databaseUrl: string | null,
  log: Logger,
): Promise<RunningRack> {
  await using undo = new AsyncDisposableStack()
  const stopping = new AbortController()
  const control: Control = { signal: stopping.signal, report: () => undefined }
  const paths = installationPaths(installation.directory)
  for (const path of [paths.store, paths.objects, paths.engine, paths.router]) {
    await mkdir(path, { recursive: true, mode: 0o700 })
  }
  const store = await openStore({
    directory: paths.store,
    url: databaseUrl ?? undefined,
    keyFile: paths.key,
    rack: installation.name,
  })
  undo.defer(() => store.close())
  await takeInTokens(store, paths.tokens)
  const objects = await openObjects(paths.objects)
  const machine = await openMachine(installation, store, log, control)
  undo.defer(() => machine.engine.close())
  const room = createOperations({
    rack: rackSettings(installation, machine),
    store,
    engine: machine.engine,
    objects,
    policy: openPolicy(installation),
    now: () => new Date(),
    log: (level, message, facts = {}) => log[level](facts, message),
  })
  const server = await createServer({ operations: room.operations, version, log })
  const address = await server.listen(installation.api)
  undo.defer(() => server.close())
  const supervision = supervise({ room, ...machine, log }, control)
  undo.defer(async () => {
    // Marked as interrupted first: what recovery is at stays open in the journal, and is no failure.
    const interrupted = room.interrupt()
    stopping.abort()
    await Promise.all([interrupted, supervision])
  })

  const stack = undo.move()
  return { address, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
