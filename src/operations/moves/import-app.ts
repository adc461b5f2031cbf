import type { Control } from '../../domain/control.ts'
import { codeOf, knownError } from '../../domain/error.ts'
import type { Operation } from '../../domain/operation.ts'
import type { Context } from '../context.ts'
import { heldDomain } from '../domains/domains.ts'
import { startChange } from '../journal/start-operation.ts'
import { checkImport, refuseTaken, refuseVolumes, type Coming } from './check-import.ts'
import type { AppImport, ImportedApp } from './move-operations.ts'
import { isGoneBackTo, linkAgain } from './link-again.ts'
import { putIn } from './put-in.ts'
import { imagesIn, readArchive } from './read-archive.ts'
import { withStaged } from './staged-archives.ts'
import { undoImport } from './undo-import.ts'

/** How long the way back may take, whatever was cancelled. */
const backMs = 300_000

/**
 * Makes an app of an archive. All of it is written down and read before anything is touched; then the app is there, and
 * its row of the journal with it, until everything is in place. What ends before that takes all of it away again.
 */
export async function importApp(
  context: Context,
  content: AsyncIterable<Uint8Array>,
  { name, isNext }: AppImport,
  control: Control,
): Promise<ImportedApp> {
  return await withStaged(context, content, control, async (open, own) => {
    const found = await readArchive(open())
    const coming = { found, isNext, app: name ?? found.archive.contents.app }
    const notes = await checkImport(context, coming, own)
    return await begin(context, { ...coming, open, notes }, own)
  })
}

interface Opened extends Coming {
  notes: string[]
  open: () => AsyncIterable<Uint8Array>
}

/** Under a row of the journal, as every change of an app; whoever asked may leave, which ends it. */
async function begin(context: Context, coming: Opened, control: Control): Promise<ImportedApp> {
  const { app, found } = coming
  return await startChange(context, app, control, async () => {
    await refuseTaken(context, coming)
    await refuseVolumes(context, coming, control)
    const images = imagesIn(found).map((image) => context.engine.calledHere(app, image))
    const imported = {
      volumes: found.archive.contents.volumes,
      images: await strangers(context, images, control),
    }
    const operation = await context.store.imports.begin(app, context.caller.name, { imported })
    const work = async (signal: AbortSignal) => {
      const own = { ...control, signal: AbortSignal.any([signal, control.signal]) }
      return await orUndo(context, operation, () => carryOut(context, { ...coming, operation }, own))
    }
    return { operation, work }
  })
}

/** Images that come with it: those that are here already are somebody's. */
async function strangers({ engine }: Context, images: string[], control: Control): Promise<string[]> {
  const here = await engine.imagesHere(images, control)
  return images.filter((image) => !here.has(image))
}

async function orUndo<T>(context: Context, operation: Operation, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // A daemon that stops leaves the row open; the next start takes all of it away.
    if (context.running.isInterrupted()) throw error
    const control = { signal: AbortSignal.timeout(backMs), report: () => undefined }
    await undoImport(context, operation, control).catch((failure: unknown) => {
      const facts = { code: codeOf(failure), reason: knownError(failure).message }
      context.log('warn', `half of ${operation.app}, which was imported, stays for now`, facts)
    })
    throw error
  }
}

async function carryOut(
  context: Context,
  { app, found, open, notes, operation }: Opened & { operation: Operation },
  control: Control,
): Promise<ImportedApp> {
  const { store, domains } = context
  const { archive, releases } = found
  const { contents, base, formation } = archive
  const put = await putIn(context, app, { found, open }, control)
  const again = await linkAgain(context, app, { found, idOf: put.idOf }, control)
  for (const domain of archive.domains) {
    const kept = await domains.add({ ...domain, app })
    if (kept.app !== app) throw heldDomain(kept)
  }
  if (archive.locked) await store.apps.setLocked(app, true)
  const noticed = archive.noticed.map((port) => ({ ...port, build: put.idOf(port.build) }))
  control.signal.throwIfAborted()
  // From here on it is there.
  await store.operations.complete(operation.id, { formation, noticed })
  context.log('info', 'an app is imported', { app, from: contents.rack, actor: context.caller.name })
  if (archive.domains.length > 0) await tellRouter(context, app, control)
  return {
    app,
    release: base && (again.get(base.release) ?? put.idOf(base.release)),
    isGoneBackTo: isGoneBackTo(found),
    releases: releases.length + again.size,
    volumes: contents.volumes,
    domains: contents.domains,
    from: { app: contents.app, rack: contents.rack, created: contents.created },
    notes: [...notes, ...put.notes],
  }
}

/** What is not served yet fails nothing: the next change of the router brings it. */
async function tellRouter(context: Context, app: string, control: Control): Promise<void> {
  await context.host.updateRouter(control).catch((error: unknown) => {
    context.log('warn', 'the router does not know of new domains yet', { app, code: codeOf(error) })
  })
}
