import type { Reply } from '../../client/client-types.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { RackError } from '../../domain/error.ts'
import { hostedType } from '../../domain/service.ts'
import { sharedType } from '../../domain/share.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { endService, snapshotOf } from '../end-service.ts'
import { startFollowing } from '../follow.ts'
import { linkedApps, placeText } from '../output/links.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import { formatBytes } from '../../lib/sizes.ts'
import { fromOption, readShare, readUrl, urlDescription, urlOptions } from '../read-url.ts'
import { cpuOf, memoryOf } from '../resource-options.ts'
import type { Session } from '../session.ts'
import { showLogs } from './logs.ts'
import { backup, backups, keepFinal, restore } from './service-backups.ts'
import { dropData } from './service-data.ts'
import { exportData, importData } from './service-dumps.ts'
import { openConsole, proxyService, showUrl } from './service-reach.ts'
import { setUrl } from './service-set-url.ts'
import { share, shares, unshare } from './service-shares.ts'
import { updateService } from './service-update.ts'

type Service = Reply<'getService'>

const create: CommandSpec = {
  name: 'create',
  arguments: '<type>',
  summary: 'add a service: one that runs here, or one that somebody else runs, by its URL',
  description: [
    'Of a type that the rack knows (postgres mysql mariadb redis valkey memcached rabbitmq mongo), of any image (image',
    '--image NAME --port PORT), run by others (url), or shared by another rack (shared). What runs here has a volume and a place in the capacity; it is there',
    'once it takes a login and answers. One that was deleted but for its data comes back with it. A rack in an AWS account',
    'has a postgres or mysql run by RDS with --managed, and a redis, valkey or memcached by ElastiCache, which takes some',
    'ten minutes: links and the console are the same, and backups too of what RDS runs.',
    urlDescription,
    'An address that does not answer is told, and taken all the same.',
  ].join('\n'),
  examples: [
    'services create postgres --name main',
    'services create postgres --version 16 --memory 1g --name main',
    'services create postgres --managed --memory 4g --name main',
    'services create image --image my/thing:1 --port 9000 --name thing',
    'services create url --name main',
    'services create url --name main < main.url',
    'services create shared --from main.share --name main',
  ],
  options: [
    { flags: '--name <name>', meaning: "how the rack calls it; the type's unless given" },
    { flags: '--version <version>', meaning: 'of a known type' },
    { flags: '--image <image>', meaning: 'of the type image' },
    { flags: '--port <port>', meaning: 'of the type image: the first that it exposes unless given' },
    { flags: '--cpu <units>', meaning: 'what it reserves' },
    { flags: '--memory <size>', meaning: 'its limit, such as 512m' },
    {
      flags: '--managed',
      meaning: "have the rack's AWS account run it: its own machine, snapshots and price",
    },
    ...urlOptions,
    { ...fromOption, meaning: `of the type shared: ${fromOption.meaning}` },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const word = args[0]!
    const isUrl = word.includes('://')
    const type = isUrl ? hostedType : word
    const name = options.text('name') ?? (namelessTypes.has(type) ? undefined : type)
    if (name === undefined) {
      throw new RackError('usage', 'a service has a name', {
        hint: `rack services create ${type} --name main`,
      })
    }
    const url = type === hostedType ? await readUrl(session, isUrl ? word : undefined) : undefined
    const line = type === 'shared' ? await readShare(session) : undefined
    const given = { ...(url !== undefined && { url }), ...(line !== undefined && { share: line }) }
    const body = { name, type, ...given, ...runOptions(session) }
    const client = await session.connect()
    using following = await startFollowing(session)
    const call = () => endService(client, name, false)
    const cancel = {
      what: `the creation of ${name}`,
      call: url === undefined && line === undefined ? call : null,
    }
    const changed = await following.follow(client.createService({ body }), cancel)
    following.result(changed)
    if (isJson) return
    const { service, warning } = changed
    if (warning !== null) following.note(output.colors.say.yellow(warning))
    following.note(`${name} is there: ${whatText(service)}`)
    following.note(`give it to an app: rack links create ${name} --app APP --promote`)
  },
}

/** By which nobody would know a service. */
const namelessTypes: ReadonlySet<string> = new Set([hostedType, 'image', sharedType])

function runOptions({ options }: Session) {
  const [version, image, port] = [options.text('version'), options.text('image'), options.text('port')]
  if (port !== undefined && !/^\d{1,5}$/.test(port)) {
    throw new RackError('usage', `--port: "${port}" is not a port`, {
      hint: 'A whole number from 1 to 65535.',
    })
  }
  return {
    ...(version !== undefined && { version }),
    ...(image !== undefined && { image }),
    ...(port !== undefined && { port: Number(port) }),
    ...cpuOf(options.text('cpu')),
    ...memoryOf(options.text('memory')),
    ...(options.flag('managed') && { managed: true }),
  }
}

const restart: CommandSpec = {
  name: 'restart',
  arguments: '<service>',
  summary: 'stop a service, and start it again',
  description: [
    'It does not serve meanwhile. It is over when it takes a login and answers. Of one that RDS runs, RDS restarts the server:',
    'all connections are cut. One of ElastiCache is not restarted, since that would take away all that is in it.',
  ].join('\n'),
  examples: ['services restart main'],
  needs: 'rack',
  async run(session) {
    const service = session.args[0]!
    const client = await session.connect()
    using following = await startFollowing(session)
    const lines = client.restartService({ params: { service } })
    const restarted = await following.follow(lines, { what: `the restart of ${service}`, call: null })
    following.result(restarted)
    following.note(`${service} runs: ${whatText(restarted)}`)
  },
}

const logs: CommandSpec = {
  name: 'logs',
  arguments: '<service>',
  summary: 'log lines of a service that runs here',
  examples: [
    'services logs main',
    'services logs main --follow',
    'services logs main --since 10m --grep error',
  ],
  options: [
    { flags: '-f, --follow', meaning: 'new lines as they come' },
    { flags: '--since <time>', meaning: 'a duration (10m, 1h30m) or an RFC 3339 time' },
    { flags: '-n, --tail <number>', meaning: 'the newest lines only' },
    { flags: '-g, --grep <pattern>', meaning: 'that hold a text, or that match /an expression/' },
    { flags: '--timestamps', meaning: 'the full time of each line' },
  ],
  needs: 'rack',
  run: async (session) => await showLogs(session, { kind: 'service', name: session.args[0]! }),
}

const info: CommandSpec = {
  name: 'info',
  arguments: '<service>',
  summary: 'one service: where it is, and which apps have it',
  examples: ['services info main', 'services info main --reveal'],
  options: [{ flags: '--reveal', meaning: 'its URL too, with the password' }],
  needs: 'rack',
  async run({ args, options, output, isJson, connect }) {
    const service = args[0]!
    const client = await connect()
    const found = await client.getService({ params: { service } })
    const revealed = options.flag('reveal') ? await client.revealService({ params: { service } }) : null
    if (isJson) output.json({ ...found, ...revealed })
    else output.data(describe(found, revealed?.url))
  },
}

const remove: CommandSpec = {
  name: 'delete',
  arguments: '<service>',
  summary: 'delete a service; refused while an app links it',
  description: [
    'Of one that runs here the data stays, and is there again when it is created again, unless --volumes drops it:',
    'then a backup of it is kept before, which rack services restore makes a service of. Of one that the account runs, the',
    'account keeps a last snapshot, but of a memcached. Its name is told, of a cache the name of the cache that it is of. What',
    'a URL leads to stays as it is.',
    'Asks first; without a terminal it needs --yes.',
  ].join('\n'),
  examples: ['services delete main', 'services delete main --volumes --yes'],
  options: [
    { flags: '--volumes', meaning: 'its data too; a last backup is kept' },
    { flags: '--no-final-backup', meaning: 'with --volumes: all of it is lost' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'rack',
  async run(session) {
    const service = session.args[0]!
    const client = await session.connect()
    const volumes = session.options.flag('volumes')
    const { run, links } = await client.getService({ params: { service } })
    const hasData = run !== null && run.volumes > 0
    const isLost = hasData && volumes && session.options.isOff('final-backup')
    const lost = isLost ? ', and all of its data, of which no backup is kept' : ', and its data'
    const isRunHere = run !== null && !run.managed
    const isForgotten = run?.managed === true && !run.leavesSnapshot
    const isLostHere = isForgotten ? ', and all that is in it' : volumes && isRunHere ? lost : ''
    const what = run === null ? ', with its URL' : isLostHere
    const kept = run?.leavesSnapshot ? '; a last snapshot of it stays in the account' : ''
    const stays = hasData && !volumes ? '; its data stays, for when it is created again' : kept
    await confirm(session, `Delete the service ${service}${what}${stays}?`, service)
    // One that is linked is refused, and needs none.
    const final =
      hasData && volumes && !isLost && links.length === 0 ? await keepFinal(client, service) : null
    using following = await startFollowing(session)
    const lines = client.deleteService({ params: { service }, query: { volumes } })
    const deleted = await following.follow(lines, { what: `the deletion of ${service}`, call: null })
    const snapshot = snapshotOf(deleted)
    following.result(snapshot === null ? final : { snapshot })
    following.note(`${service} is deleted${kept === '' ? stays : ''}`)
    if (snapshot !== null) following.note(`the account keeps its last snapshot: ${snapshot}`)
    if (final) following.note(`its last backup makes one again: rack services restore ${final.id}`)
  },
}

/** `rack services`. */
export const services: CommandSpec = {
  name: 'services',
  summary: 'list services: databases and the like, which apps share',
  description: 'They belong to the rack. rack links gives one to an app.',
  examples: [
    'services',
    'services create postgres --name main',
    'services info main',
    'services set-url main --promote',
  ],
  needs: 'rack',
  commands: [
    create,
    info,
    logs,
    restart,
    updateService,
    setUrl,
    remove,
    backup,
    backups,
    restore,
    exportData,
    importData,
    openConsole,
    proxyService,
    showUrl,
    dropData,
    share,
    unshare,
    shares,
  ],
  async run({ connect, output, isJson }) {
    const found = await (await connect()).listServices()
    if (isJson) return output.json(found)
    if (found.length === 0)
      return output.say('the rack has no service; add one with: rack services create postgres --name main')
    const columns = [
      { heading: 'SERVICE', value: ({ name }: Service) => name },
      { heading: 'TYPE', value: ({ type }: Service) => type },
      { heading: 'STATUS', value: ({ status }: Service) => status },
      { heading: 'WHAT', value: whatText },
      { heading: 'SINCE', value: ({ since }: Service) => ago(since) },
      { heading: 'LINKED BY', value: ({ links }: Service) => linkedApps(links) },
    ]
    output.data(formatTable(columns, found))
  },
}

/** `postgres:15 (15.4)`, or where it is. */
function whatText({ run, address }: Service): string {
  if (!run) return placeText(address)
  const image = run.managed ? `${run.image}, run by the account` : run.image
  return run.says === null ? image : `${image} (${run.says})`
}

function describe(service: Service, url: string | undefined): string {
  const { name, type, status, detail, run, created, since, links, inside, backedUp, backupFailed } = service
  return formatFacts([
    ['service', name],
    ['type', type],
    ['status', status],
    [run ? 'image' : 'at', whatText(service)],
    ['process', run ? detail : undefined],
    ['connections', inside?.connections ?? undefined],
    ['size', bytesText(inside?.bytes ?? null)],
    ['restarts', run ? run.restarts : undefined],
    ['kept', run?.kept ? `what it was as ${run.kept}: rack services update ${name} --finish` : undefined],
    ['reserves', run ? describeResources(run) : undefined],
    ['url', url],
    ['created', `${created} (${ago(created)})`],
    ['url since', run || since === created ? undefined : `${since} (${ago(since)})`],
    ['linked by', linkedApps(links)],
    ['last backup', type === sharedType ? undefined : backupText(backedUp)],
    ['not backed up', backupFailed ? `${ago(backupFailed.time)}: ${backupFailed.reason}` : undefined],
    ...(inside?.data ?? []).map((data): [string, string] => ['data', dataText(data)]),
  ])
}

function backupText(backedUp: string | null): string {
  return backedUp === null ? 'never' : `${backedUp} (${ago(backedUp)})`
}

/** `shop_db, of shop (as db)` */
function dataText({ name, links }: { name: string; links: string[] }): string {
  return links.length === 0 ? `${name}, of no link now` : `${name}, of ${links.join(', ')}`
}

function bytesText(bytes: number | null): string | undefined {
  return bytes === null ? undefined : formatBytes(bytes)
}
