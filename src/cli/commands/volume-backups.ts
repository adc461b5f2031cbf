import { followStream } from '../../client/follow-stream.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import {
  findOrSend,
  leaveOnInterrupt,
  notSealed,
  refuseTerminal,
  saveArchive,
  tellTo,
} from '../files/backup-files.ts'
import { orNull } from '../or-null.ts'
import { ago } from '../output/times.ts'
import { volumePlace } from '../volume-place.ts'

/** `rack volumes backup`. */
export const backup: CommandSpec = {
  name: 'backup',
  arguments: '<app/volume>',
  summary: "keep a backup of an app's volume",
  description: [
    'A tar of its files, with owners, modes and links, sealed with the key of the rack. It is in the list once it is whole:',
    'rack services backups. Processes go on, and may write meanwhile: with --stop those that have the volume are stopped',
    'first, and started again whatever happens. Of extended attributes only file capabilities are kept.',
    'With --output it is written to a file instead, or to standard output: not sealed, a tar that zstd compresses.',
  ].join('\n'),
  examples: [
    'volumes backup guestbook/data',
    'volumes backup guestbook/data --stop',
    'volumes backup guestbook/data --output data.tar.zst',
    'volumes backup guestbook/data --output -',
  ],
  options: [
    { flags: '--stop', meaning: 'stop the processes that have it first, and start them again' },
    { flags: '-o, --output <file>', meaning: 'a file, or - for standard output; the rack keeps none' },
  ],
  needs: 'app',
  async run(session) {
    const { options, output, isJson } = session
    const to = options.text('output')
    refuseTerminal(session, to)
    const { app, volume } = volumePlace(session, session.args[0]!)
    const client = await session.connect()
    const call = { params: { app, volume }, query: { stop: options.flag('stop') } }
    using leaving = leaveOnInterrupt(session, 'the backup was ended: nothing of it is there')
    const { signal } = leaving
    if (to !== undefined) {
      const archive = client.dumpVolume(call, { signal })
      return await saveArchive(session, { archive, to, facts: { app, volume }, remark: notSealed }, signal)
    }
    const kept = await followStream(client.backupVolume(call, { signal }), tellTo(session))
    if (isJson) return output.json(kept)
    output.data(kept.id)
    output.say(`${volume} of ${app} is backed up (${formatBytes(kept.bytes)})`)
    output.say(`put it back: rack volumes restore ${kept.id} ${app}/${volume}`)
  },
}

/** `rack volumes restore`. */
export const restore: CommandSpec = {
  name: 'restore',
  arguments: '<backup> <app/volume>',
  summary: 'put a backup, or a file that holds one, into a volume',
  description: [
    'Into a new volume, while processes go on with the old one; then those that have it are replaced by ones that have the',
    'new one, and the old one goes. Whatever fails, the old content is what is mounted. The volume may be one that is not',
    'there yet, or of another app than the one that it was of.',
    'It asks first where it is there; without a terminal it needs --yes, and while processes have it, --force.',
    'All of the backup is read and checked before anything is touched. A file is kept as a backup first.',
  ].join('\n'),
  examples: [
    'volumes restore KABCDEFGHIJ guestbook/data',
    'volumes restore KABCDEFGHIJ guestbook/data --force --yes',
    'volumes restore data.tar.zst guestbook-2/data',
    'volumes restore - guestbook/data < data.tar.zst',
  ],
  options: [
    { flags: '--force', meaning: 'into a volume that processes have, too' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'app',
  async run(session) {
    const { options, output, isJson } = session
    const [word, place] = session.args as [string, string]
    const { app, volume } = volumePlace(session, place)
    const client = await session.connect()
    const usage = `rack volumes restore - ${app}/${volume}`
    const found = await findOrSend(session, client, { word, usage })
    const params = { app, volume }
    if ((await orNull(client.getVolume({ params }))) !== null) {
      await confirm(session, `Put ${found.id} into ${volume} of ${app}, which loses what it has?`, volume)
    }
    using leaving = leaveOnInterrupt(session, 'the restore was ended: what was mounted before is mounted')
    const body = { backup: found.id, force: options.flag('force') }
    const restored = await followStream(client.restoreVolume({ params, body }, leaving), tellTo(session))
    if (isJson) return output.json(restored)
    output.say(`${volume} of ${app} is as ${found.service} was ${ago(found.created)}`)
    if (restored.usedBy.length === 0) output.say(`no release of ${app} that is live mounts it yet`)
  },
}
