import { resolve } from 'node:path'
import { formatBytes } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { leaveOnInterrupt, refuseTerminal } from '../files/backup-files.ts'
import { openMeter } from '../files/meter.ts'
import { pour } from '../files/pour.ts'
import { headed, makeSealingKey, rackBackupFile, secretOptions } from '../files/sealed-file.ts'
import { writeWhole } from '../files/write-whole.ts'

/** `rack backup`. */
export const backup: CommandSpec = {
  name: 'backup',
  summary: 'write all of the rack to one sealed file',
  description: [
    'Apps, releases, environments, links, domains, certificates, tokens, the audit, sources, the backups that the rack keeps, its',
    'keys, and the images of what is live; with --volumes and --services their data too. Everything goes on meanwhile: a',
    'service is dumped by its own program, and a volume is read while processes may write to it.',
    'It is sealed by a passphrase, or a key file: without that nothing of it can be read, by nobody. Keep it elsewhere.',
    'What is not in it is said. Needs a token with the role admin, for all apps. Put it back with: rack restore FILE',
  ].join('\n'),
  examples: [
    'backup --volumes --services',
    'backup --volumes --services --passphrase-file /root/backup.pass --output /mnt/backup/rack.backup',
    'backup --no-images --key-file key --output - | ssh backup@example.com "cat > rack.backup"',
  ],
  options: [
    {
      flags: '-o, --output <file>',
      meaning: 'where to, or - for standard output (RACK-TIME.backup, in this directory)',
    },
    { flags: '--volumes', meaning: "the data of the apps' volumes too" },
    { flags: '--services', meaning: 'the data of services that run here too' },
    { flags: '--no-images', meaning: 'without images: apps have to be deployed again after a restore' },
    ...secretOptions,
  ],
  needs: 'rack',
  async run(session) {
    const { options, output, world, isJson } = session
    const to = options.text('output')
    refuseTerminal(session, to)
    const scope = {
      volumes: options.flag('volumes'),
      services: options.flag('services'),
      images: !options.isOff('images'),
    }
    const client = await session.connect()
    const contents = await client.planRackBackup({ query: scope })
    if (!isJson) for (const lack of contents.lacks) output.say(`not in it: ${lack}`)
    const { key, head } = await makeSealingKey(session, rackBackupFile)
    const body = { ...scope, key: Buffer.from(key).toString('base64'), head }
    using leaving = leaveOnInterrupt(session, 'the backup was ended: nothing of it is there')
    const { signal } = leaving
    const file = to ?? `${contents.rack}-${contents.created.replaceAll(/[:.]/g, '')}.backup`
    using meter = openMeter(output, file)
    const content = meter.count(headed(head, client.backupRack({ body }, { signal })))
    if (file === '-') return await pour(content, world.stdout)
    await writeWhole(resolve(world.cwd, file), content, signal)
    if (isJson) return output.json({ ...contents, file, bytes: meter.bytes })
    output.data(file)
    output.say(`${contents.rack} is backed up (${formatBytes(meter.bytes)})`)
    output.say(`put it back, on a machine without it: rack restore ${file}`)
  },
}
