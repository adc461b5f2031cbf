import { appArchiveParts, type AppArchive, type Life } from '../../domain/app-archive.ts'
import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import { appOwner } from '../../domain/owner.ts'
import type { Context } from '../context.ts'
import { putSourceFile } from '../kept-sources.ts'
import { keptBuilds } from '../prune.ts'
import { say } from '../say.ts'
import type { PartStream } from '../services/backup/backup-archive.ts'
import { keepStandIn } from '../volume-data/current-volumes.ts'
import { createHistoryWriter, type HistoryWriter } from './history-writer.ts'
import { batchesOf, imagesIn, partsOf, type FoundArchive } from './read-archive.ts'

/** No app is called so. */
const importTurn = '/imports'

interface Filling {
  archive: AppArchive
  history: HistoryWriter
}

/** Puts in what an archive holds, under the row that says what will be there. */
export async function putIn(
  context: Context,
  app: string,
  { found, open }: { found: FoundArchive; open: () => AsyncIterable<Uint8Array> },
  control: Control,
): Promise<{ idOf: (id: string) => string; notes: string[] }> {
  const { archive } = found
  // Until its rows name them, a sweep would take images and sources.
  const put = async () =>
    await context.images.whileMaking(control.signal, async () => {
      // Rows say what images are called here, which is known when they are here.
      const called = await putImages(context, app, { found, open }, control)
      const history = await createHistoryWriter(context, app, { found, called })
      const { idOf } = history
      for await (const part of partsOf(open())) {
        control.signal.throwIfAborted()
        const content = lent(part.content)
        await takeIn(context, app, { ...part, content }, { archive, history }, control)
        for await (const _ of content);
      }
      await context.store.imports.addLives(app, await livesOf(context, app, { archive, history }))
      const lost = await nameImages(context, app, idOf(archive.base?.build ?? ''), control)
      return { idOf, notes: [...history.notes(), ...lost] }
    })
  // Two of one archive would both find its ids free.
  const onWait = () => say(context, control, 'waiting for another import')
  return await context.turns.run(importTurn, control.signal, put, onWait)
}

/** Whoever takes it may know its end before all of it has come. */
function lent(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const chunks = content[Symbol.asyncIterator]()
  return { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) }
}

/** @returns what each is called here */
async function putImages(
  context: Context,
  app: string,
  { found, open }: { found: FoundArchive; open: () => AsyncIterable<Uint8Array> },
  control: Control,
): Promise<ReadonlyMap<string, string>> {
  if (found.archive.images.length === 0) return new Map()
  say(context, control, 'putting in images')
  const saved = async function* () {
    for await (const { name, content } of partsOf(open())) {
      if (name === appArchiveParts.images) return yield* content
      for await (const _ of content);
    }
    throw new RackError('invalid', 'the archive says that it has images, and has none')
  }
  return await context.engine.loadImages({ open: saved, of: { app, images: imagesIn(found) } }, control)
}

async function takeIn(
  context: Context,
  app: string,
  part: PartStream,
  { archive, history }: Filling,
  control: Control,
): Promise<void> {
  const { engine } = context
  const { name, content } = part
  const { builds, releases, sources, volumes } = appArchiveParts
  if (name === builds || name === releases) return await history.write(batchesOf(part))
  const volume = archive.contents.volumes.find((each) => name === `${volumes}${each}`)
  if (volume !== undefined) {
    say(context, control, `putting in the volume ${volume}`)
    // Of an app of that name that is no more: nothing stands for the volume now.
    await keepStandIn(context, { app, name: volume }, { current: volume, others: [] })
    return await engine.copyVolume(appOwner(app), volume, { in: content }, control)
  }
  const [, hash, list] = /^([0-9a-f]{64})(\.files)?$/.exec(name.slice(sources.length)) ?? []
  if (name.startsWith(sources) && hash !== undefined)
    return await putSourceFile(context, { app, hash, isList: list !== undefined }, content, control)
  for await (const _ of content);
}

/** What is live there is not so here yet; and all of it was before the app was here, whatever the clock of there says. */
async function livesOf(
  { store }: Context,
  app: string,
  { archive: { lives, contents }, history: { idOf } }: Filling,
): Promise<Life[]> {
  const created = Date.parse((await store.apps.get(app))?.created ?? contents.created)
  const latest = new Date(created - 1).toISOString()
  const before = lives.slice(0, lives.findLastIndex(({ release }) => release !== contents.release) + 1)
  return before.map(({ release, since }) => ({
    release: idOf(release),
    since: since < latest ? since : latest,
  }))
}

/** Images of the releases that are kept are the app's from now on; of what is not here it is told how it comes back. */
async function nameImages(
  { engine, store, rack }: Context,
  app: string,
  base: string,
  control: Control,
): Promise<string[]> {
  const lost: string[] = []
  const known = await store.builds.known([base])
  for (const build of (await keptBuilds({ store, rack }, app)).union(known)) {
    const { images } = await store.builds.content(build)
    const references = Object.values(images).map(({ reference }) => reference)
    const here = await engine.imagesHere(references, control)
    if (references.every((reference) => here.has(reference)))
      await engine.nameImages({ app, build, images }, control)
    else
      lost.push(`images of ${build} are not here; make it again: rack builds rebuild ${build} --app ${app}`)
  }
  return lost
}
