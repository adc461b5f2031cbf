import type { Control } from '../../../domain/control.ts'
import type { DataCare } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { findHosted } from '../hosted/hosted-type.ts'
import { withClient } from '../hosted/with-client.ts'
import { refuseWithheld } from '../managed.ts'
import { findRunning, noneOf, type RunningService } from '../running-service.ts'
import { findService } from '../services.ts'
import type { AboutBackup, PartSum } from './backup-archive.ts'
import { dumpService } from './dump-service.ts'
import {
  aboutFiles,
  dumpFiles,
  hasFilesOnly,
  whileServiceStopped,
  type FilesService,
} from './service-files.ts'

/** All that a service has, as it can be written down now. */
export interface Archive {
  about: AboutBackup
  /** What it is, and what is not in it. */
  says: string
  /** To be read once. `told` hears of its parts when all of it was read. */
  content: (control: Control, told?: (sums: PartSum[]) => void) => AsyncGenerator<Uint8Array>
}

/** A server whose data is taken out by commands inside it. */
export type DataServer = Omit<RunningService, 'type'> & { data: DataCare }

/**
 * Does something with the archive of a service, by what is known of it: of a server that somebody else runs by a client of it,
 * of one whose type knows no more by the files of its volumes, for which it is stopped meanwhile.
 * @throws not-found; conflict; unsupported for a type that has none
 */
export async function withArchive<T>(
  context: Context,
  name: string,
  control: Control,
  work: (archive: Archive, control: Control) => Promise<T>,
): Promise<T> {
  const ofData = async (server: DataServer, own: Control) => await work(dataArchive(context, server), own)
  const hosted = await findHosted(context, await findService(context, name))
  if (hosted) return await withClient(context, hosted, control, ofData)
  if (!(await hasFilesOnly(context, name)))
    return await ofData(await findWithData(context, name, control), control)
  return await whileServiceStopped(
    context,
    name,
    control,
    async (files, own) => await work(filesArchive(context, files), own),
  )
}

export function dataArchive(context: Context, server: DataServer): Archive {
  const { copy, data } = server
  const about = aboutOf(context, server)
  const place = { engine: context.engine, copy, data }
  return {
    about,
    says: data.says,
    content: (control, told) => dumpService(place, { about, ...(told && { told }) }, control),
  }
}

function filesArchive(context: Context, files: FilesService): Archive {
  const about = aboutFiles(context, files)
  return {
    about,
    says: findServiceType(files.service.type)!.data!.says,
    content: (control, told) => dumpFiles(context, files, { about, ...(told && { told }) }, control),
  }
}

async function findWithData(context: Context, name: string, control: Control): Promise<DataServer> {
  const found = await findRunning(context, name, 'backup', control)
  const run = await context.store.services.run(name)
  refuseWithheld(found.service, run?.managed !== undefined, 'backup')
  const { data } = found.type
  if (!data) throw noneOf(found.service, 'backup')
  return { ...found, data }
}

/** What a backup of a server says of itself. */
export function aboutOf(
  context: Context,
  { service: { name, type }, version }: Pick<RunningService, 'service' | 'version'>,
): AboutBackup {
  return { format: 1, service: name, type, version, created: context.now().toISOString() }
}
