import type { Client, Reply } from '../../client/client-types.ts'
import { followStream } from '../../client/follow-stream.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { findOrSend, leaveOnInterrupt, refuseTerminal, saveArchive } from '../files/backup-files.ts'
import { endService } from '../end-service.ts'
import { startFollowing } from '../follow.ts'
import { orNull } from '../or-null.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import type { Session } from '../session.ts'

type Backup = Reply<'getBackup'>

/** `rack services backup`. */
export const backup: CommandSpec = {
  name: 'backup',
  arguments: '<service>',
  summary: 'keep a backup of a service',
  description: [
    'Of one that runs here, or by its URL of a postgres, mysql, mariadb, redis or valkey that somebody else runs.',
    'It is sealed with the key of the rack, and in the list once it is whole. The service goes on meanwhile;',
    'one of the type image is stopped first, and started again: its backup is the files of its volumes.',
    'With --every the rack makes one by itself from then on, in UTC, and --keep says which of those stay: 7d,4w,6m is the',
    'newest of each of the last seven days, four weeks and six months. --every never ends that.',
    'With --output it is written to a file instead, or to standard output: not sealed, a tar that zstd compresses.',
  ].join('\n'),
  examples: [
    'services backup main',
    'services backup main --every "30 3 * * *" --keep 7d,4w,6m',
    'services backup main --every never',
    'services backup main --output main.tar.zst',
    'services backup main --output -',
  ],
  options: [
    { flags: '--every <times>', meaning: 'minute, hour, day, month, weekday, in UTC; or never' },
    { flags: '--keep <counts>', meaning: 'with --every: which of those stay; all unless given' },
    { flags: '-o, --output <file>', meaning: 'a file, or - for standard output; the rack keeps none' },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const service = args[0]!
    const to = options.text('output')
    refuseTerminal(session, to)
    const client = await session.connect()
    const every = options.text('every')
    if (every !== undefined) return await changeSchedule(session, client, { service, every })
    using leaving = leaveOnInterrupt(session, 'the backup was ended: nothing of it is there')
    const { signal } = leaving
    if (to !== undefined) {
      const archive = client.dumpService({ params: { service } }, { signal })
      return await saveArchive(session, { archive, to, facts: { service } }, signal)
    }
    const kept = await followStream(
      client.backupService({ params: { service } }, { signal }),
      (progress) => progress.type === 'log' && output.say(progress.text),
    )
    if (isJson) return output.json(kept)
    output.data(kept.id)
    output.say(`${service} is backed up (${formatBytes(kept.bytes)})`)
    output.say(`put it back: rack services restore ${kept.id}; or into a new one: --into NAME`)
  },
}

async function changeSchedule(
  { options, output, isJson }: Session,
  client: Client,
  { service, every }: { service: string; every: string },
): Promise<void> {
  const params = { service }
  if (every === 'never') {
    await client.getService({ params })
    await client.removeBackupSchedule({ params })
    if (isJson) return output.json(null)
    return output.say(`${service} is not backed up by itself any more; what there is stays`)
  }
  const body = { every, keep: options.text('keep') ?? null }
  const schedule = await client.setBackupSchedule({ params, body })
  if (isJson) return output.json(schedule)
  output.say(scheduleText(schedule))
  output.say(`what is kept: ${schedule.says}`)
}

function scheduleText({ service, every, keep }: NonNullable<Reply<'getBackupSchedule'>>): string {
  return `${service} is backed up at ${every} (UTC)${keep === null ? '; all of these stay' : `; of these ${keep} stay`}`
}

const info: CommandSpec = {
  name: 'info',
  arguments: '<backup>',
  summary: 'one backup: of what it is, and what is in it',
  examples: ['services backups info KABCDEFGHIJ'],
  needs: 'rack',
  async run({ args, connect, output, isJson }) {
    const found = await (await connect()).getBackup({ params: { backup: args[0]! } })
    if (isJson) output.json(found)
    else output.data(describe(found))
  },
}

const save: CommandSpec = {
  name: 'save',
  arguments: '<backup> <file>',
  summary: 'write a backup to a file, or to standard output (-)',
  description:
    'Not sealed any more: a tar that zstd compresses. All of it is read and checked before it is sent.',
  examples: ['services backups save KABCDEFGHIJ main.tar.zst', 'services backups save KABCDEFGHIJ -'],
  needs: 'rack',
  async run(session) {
    const [id, to] = session.args as [string, string]
    refuseTerminal(session, to)
    const client = await session.connect()
    using leaving = leaveOnInterrupt(session, 'it was ended: there is no file')
    const archive = client.readBackup({ params: { backup: id } }, leaving)
    await saveArchive(session, { archive, to, facts: { backup: id } }, leaving.signal)
  },
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '<backup>',
  summary: 'delete a backup',
  description: 'Asks first; without a terminal it needs --yes.',
  examples: ['services backups delete KABCDEFGHIJ', 'services backups delete KABCDEFGHIJ --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const id = session.args[0]!
    const client = await session.connect()
    const { service, created } = await client.getBackup({ params: { backup: id } })
    await confirm(session, `Delete the backup ${id} of ${service}, made ${ago(created)}?`, id)
    await client.deleteBackup({ params: { backup: id } })
    if (session.isJson) session.output.json(null)
    else session.output.say(`${id} is deleted`)
  },
}

/** `rack services backups`. */
export const backups: CommandSpec = {
  name: 'backups',
  arguments: '[service]',
  summary: 'list backups of services and volumes, of those that are no more too',
  examples: [
    'services backups',
    'services backups main',
    'services backups shop/data',
    'services backups info KABCDEFGHIJ',
  ],
  needs: 'rack',
  commands: [info, save, remove],
  async run({ args, connect, output, isJson }) {
    const [service] = args
    const query = service === undefined ? {} : { service }
    const client = await connect()
    const found = await client.listBackups({ query })
    if (isJson) return output.json(found)
    const schedule =
      service === undefined || service.includes('/')
        ? null
        : await orNull(client.getBackupSchedule({ params: { service } }))
    if (schedule) output.say(scheduleText(schedule))
    if (found.length === 0) {
      const make = service?.includes('/')
        ? `volumes backup ${service}`
        : `services backup ${service ?? 'NAME'}`
      return output.say(`there is no backup; make one with: rack ${make}`)
    }
    const columns = [
      { heading: 'BACKUP', value: ({ id }: Backup) => id },
      { heading: 'OF', value: (one: Backup) => one.service },
      { heading: 'WHAT', value: whatOf },
      { heading: 'CREATED', value: ({ created }: Backup) => ago(created) },
      { heading: 'SIZE', value: ({ bytes }: Backup) => formatBytes(bytes), align: 'right' as const },
      { heading: 'WHY', value: ({ reason }: Backup) => reason },
    ]
    output.data(formatTable(columns, found))
  },
}

/** Null for a service that is no more, too. */
/** `rack services restore`. */
export const restore: CommandSpec = {
  name: 'restore',
  arguments: '<backup>',
  summary: 'put a backup, or a file that holds one, into its service or a new one',
  description: [
    'With --into a new one; without it the service that it was of, which is made again where it is gone. One that is there',
    'loses what it has: a new volume is filled while it goes on, then it is stopped, and started with that. It asks first;',
    'without a terminal it needs --yes, and while apps link it, --force. Their logins stay as they are.',
    'All of the backup is read and checked before anything is touched. A file is kept as a backup first.',
  ].join('\n'),
  examples: [
    'services restore KABCDEFGHIJ',
    'services restore KABCDEFGHIJ --force --yes',
    'services restore KABCDEFGHIJ --into main-2',
    'services restore KABCDEFGHIJ --into main-2 --managed',
    'services restore main.tar.zst --into main-2 --version 16',
    'services restore - --into main-2',
  ],
  options: [
    { flags: '--into <name>', meaning: 'how the new service is called' },
    { flags: '--version <version>', meaning: "of a new one: the backup's unless given; a newer one" },
    { flags: '--managed', meaning: "have the rack's AWS account run the new one" },
    { flags: '--force', meaning: 'into a service that apps link, too' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options } = session
    const client = await session.connect()
    const found = await findOrSend(session, client, {
      word: args[0]!,
      usage: 'rack services restore - --into NAME',
    })
    const [into, version] = [options.text('into'), options.text('version')]
    const name = into ?? found.service
    // What somebody else runs is nothing to put it into: the rack says so.
    const there = into === undefined ? await orNull(client.getService({ params: { service: name } })) : null
    const inPlace = there !== null && there.run !== null
    const managed = options.flag('managed')
    if (inPlace && managed) {
      throw new RackError('usage', `${name} is there, and is run as it is`, {
        hint: `Beside it: rack services restore ${args[0]!} --into NAME --managed`,
      })
    }
    if (inPlace && version !== undefined) {
      throw new RackError('usage', `${name} is there, and has its version`, {
        hint: `Another one: rack services update ${name} --version ${version}; or beside it: --into NAME`,
      })
    }
    const force = options.flag('force')
    if (inPlace) await confirm(session, `Put ${found.id} into ${name}, which loses what it has?`, name)
    using following = await startFollowing(session)
    const body = {
      ...(into !== undefined && { into }),
      ...(version !== undefined && { version }),
      ...(managed && { managed }),
      ...(inPlace && { inPlace, force }),
    }
    const call = () =>
      inPlace ? client.cancelService({ params: { service: name } }) : cancelRestore(client, name)
    const lines = client.restoreBackup({ params: { backup: found.id }, body })
    const service = await following.follow(lines, { what: `the restore into ${name}`, call })
    following.result(service)
    following.note(`${name} is there, as ${found.service} was ${ago(found.created)}`)
  },
}

/** The last backup of a service that is deleted then. @throws where there is none, with what to type to do without */
export async function keepFinal(client: Client, service: string): Promise<Backup> {
  try {
    const lines = client.backupService({ params: { service }, query: { reason: 'final' } })
    return await followStream(lines, () => undefined)
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    throw new RackError(
      error.code,
      `${service} is not deleted, since its last backup failed: ${error.message}`,
      {
        hint: `Delete it without one, and lose all of its data: rack services delete ${service} --volumes --no-final-backup`,
        cause: error,
      },
    )
  }
}

/** While the backup is read there is no service yet: who leaves then ends it. */
async function cancelRestore(client: Client, service: string): Promise<void> {
  try {
    await endService(client, service, true)
  } catch (error) {
    if (!(error instanceof RackError && error.code === 'not-found')) throw error
    throw new RackError('cancelled', 'the restore was ended: nothing was touched', { cause: error })
  }
}

function describe({ id, service, type, version, created, reason, bytes, sha256, parts }: Backup): string {
  return formatFacts([
    ['backup', id],
    ['of', `${service} (${whatOf({ type, version })})`],
    ['created', `${created} (${ago(created)})`],
    ['why', reason],
    ['kept', formatBytes(bytes)],
    ['sha256', sha256],
    ['holds', parts.map((part) => `${part.name} (${formatBytes(part.bytes)})`).join(', ')],
  ])
}

/** A volume has no version. */
function whatOf({ type, version }: Pick<Backup, 'type' | 'version'>): string {
  return version === '' ? type : `${type} ${version}`
}
