import {
  appArchiveParts,
  appArchiveType,
  type AppExportScope,
  type HistoryRow,
} from '../../domain/app-archive.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf } from '../../domain/error.ts'
import { compressZstd } from '../../lib/zstd.ts'
import type { Context } from '../context.ts'
import { openSourceFiles } from '../kept-sources.ts'
import { packBackup, type PartStream } from '../services/backup/backup-archive.ts'
import { flowing, jsonOf, volumeContent } from '../services/backup/part-streams.ts'
import { planExport, type ExportPlan } from './plan-export.ts'

/** Writes out an app with its history and its data. Nothing is held whole, and nothing is stopped for it. */
export async function exportApp(
  context: Context,
  app: string,
  scope: AppExportScope,
  out: (chunk: Uint8Array) => Promise<void>,
  control: Control,
): Promise<void> {
  const plan = await planExport(context, app, scope, control)
  const { version, created } = plan.archive.contents
  const about = { format: 1 as const, service: app, type: appArchiveType, version, created }
  for await (const chunk of compressZstd(packBackup(about, partsOf(context, plan, control)))) await out(chunk)
}

/** What says whether it can be taken comes first, what is large last. */
async function* partsOf(
  context: Context,
  { archive, builds, releases, sources }: ExportPlan,
  control: Control,
): AsyncGenerator<PartStream> {
  const { app, volumes } = archive.contents
  const { images } = archive
  yield { name: appArchiveParts.app, content: jsonOf(archive) }
  yield { name: appArchiveParts.builds, content: linesOf(buildRows(context, builds)) }
  yield { name: appArchiveParts.releases, content: linesOf(releaseRows(context, releases)) }
  for (const hash of sources) {
    const files = await openSourceFiles(context, app, hash)
    if (!files) continue
    yield { name: `${appArchiveParts.sources}${hash}`, content: files.source }
    yield { name: `${appArchiveParts.sources}${hash}.files`, content: files.list }
  }
  for (const name of volumes) {
    control.signal.throwIfAborted()
    const content = await volumeContent(context, { app, name }, control)
    yield { name: `${appArchiveParts.volumes}${name}`, content }
  }
  if (images.length === 0) return
  const saved = { references: images, named: false }
  const content = flowing(control, (out, own) => context.engine.saveImages(saved, out, own))
  yield { name: appArchiveParts.images, content }
}

async function* buildRows({ store }: Context, builds: ExportPlan['builds']): AsyncGenerator<HistoryRow> {
  for (const build of builds) {
    try {
      yield { build, content: await store.builds.content(build.id) }
    } catch (error) {
      // Removed since: its releases are told without a build, as they are here by now.
      if (codeOf(error) !== 'not-found') throw error
    }
  }
}

async function* releaseRows(
  { store }: Context,
  releases: ExportPlan['releases'],
): AsyncGenerator<HistoryRow> {
  for (const release of releases)
    yield { release, environment: await store.releases.environment(release.app, release.id) }
}

async function* linesOf(rows: AsyncIterable<HistoryRow>): AsyncGenerator<Uint8Array> {
  for await (const row of rows) yield Buffer.from(`${JSON.stringify(row)}\n`)
}
