import type { Client, Reply } from '../../client/client-types.ts'
import { describeResources } from '../../domain/describe-resources.ts'
import { RackError } from '../../domain/error.ts'
import { formatBytes, formatDuration, parseDuration } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { startFollowing } from '../follow.ts'
import { cpuOf, memoryOf } from '../resource-options.ts'
import type { Session } from '../session.ts'

type Planned = Reply<'planServiceUpdate'>

/** `rack services update`. */
export const updateService: CommandSpec = {
  name: 'update',
  arguments: '<service>',
  summary: 'change the version, CPU or memory of a service that runs here',
  description: [
    'Says first what it comes to. It is stopped and started for that; where the new version has other files, all of its data',
    'goes through a dump into a new volume: its sessions end when that begins, and nobody reaches it for at most --pause. What',
    'it had is kept until --finish drops it, or --undo goes back to it, which loses what was written since.',
    'What is estimated to take longer than --pause wants --yes. What takes longer, or fails, leaves it as it was.',
    'What the account runs gets a machine of another size by --memory and --cpu, and by --version a newer version, where it',
    'stands, with no way back: nobody may reach it for minutes, and it asks first. Of a memcached all is gone then.',
  ].join('\n'),
  examples: [
    'services update main --memory 1g',
    'services update main --version 16 --pause 5m',
    'services update main --finish',
    'services update main --undo --yes',
  ],
  options: [
    { flags: '--version <version>', meaning: 'of a known type: a newer one' },
    { flags: '--image <image>', meaning: 'of the type image' },
    { flags: '--cpu <units>', meaning: 'what it reserves' },
    { flags: '--memory <size>', meaning: 'its limit, such as 512m' },
    { flags: '--pause <time>', meaning: 'the longest time for which nobody may reach it; 60s unless given' },
    { flags: '--finish', meaning: 'drop what was kept of before the last upgrade' },
    { flags: '--undo', meaning: 'go back to it' },
    { flags: '-y, --yes', meaning: 'do not ask' },
  ],
  needs: 'rack',
  async run(session) {
    const { args, options } = session
    const service = args[0]!
    const change = changeOf(session)
    const [isFinish, isUndo] = [options.flag('finish'), options.flag('undo')]
    const count = [Object.keys(change).length > 0, isFinish, isUndo].filter(Boolean).length
    if (count !== 1) {
      throw new RackError(
        'usage',
        'say what is to be otherwise: --version, --image, --memory or --cpu; or --finish; or --undo',
        {
          hint: `rack services update ${service} --version 16`,
        },
      )
    }
    const client = await session.connect()
    if (isFinish || isUndo) return await finish(session, client, { service, undo: isUndo })
    await update(session, client, { service, change, pauseMs: pauseOf(session) })
  },
}

function changeOf({ options }: Session) {
  const [version, image] = [options.text('version'), options.text('image')]
  return {
    ...(version !== undefined && { version }),
    ...(image !== undefined && { image }),
    ...cpuOf(options.text('cpu')),
    ...memoryOf(options.text('memory')),
  }
}

function pauseOf({ options }: Session): number {
  const text = options.text('pause') ?? '60s'
  const ms = parseDuration(text)
  if (ms !== null && ms >= 1000) return ms
  throw new RackError('usage', `--pause: "${text}" is not a time`, { hint: 'Such as 90s or 10m.' })
}

interface Update {
  service: string
  change: ReturnType<typeof changeOf>
  pauseMs: number
}

async function update(session: Session, client: Client, { service, change, pauseMs }: Update): Promise<void> {
  const params = { service }
  const planned = await client.planServiceUpdate({ params, query: change })
  session.output.say(describe(service, planned, pauseMs))
  const isLong = planned.kind === 'upgrade' && (planned.estimateMs ?? Number.POSITIVE_INFINITY) > pauseMs
  if (isLong) {
    const most = formatDuration(pauseMs)
    await confirm(session, `It may well take longer than ${most}, and would be undone then. Try it?`, service)
  }
  if (planned.kind === 'version') await confirm(session, `Have it brought there?`, service)
  using following = await startFollowing(session)
  const call = () => client.cancelService({ params })
  const lines = client.updateService({ params, body: { ...change, pauseMs } })
  const done = await following.follow(lines, { what: `the update of ${service}`, call })
  following.result(done)
  const { run } = done.service
  if (planned.kind === 'machine' || planned.kind === 'version')
    return following.note(
      `the account runs ${service} as ${run?.says ?? 'asked'} with ${describeResources(planned)}`,
    )
  if (!run || done.pausedMs === null) return following.note(`${service} is so already`)
  const paused = `nobody reached it for ${formatDuration(done.pausedMs)}`
  following.note(`${service} runs as ${run.image} with ${describeResources(run)}; ${paused}`)
  if (done.backup === null) return
  following.note(`its data of before is kept as the backup ${done.backup}, and as ${run.kept ?? 'it was'}:`)
  following.note(`drop that with: rack services update ${service} --finish; go back to it: --undo`)
}

function describe(
  service: string,
  { kind, image, bytes, estimateMs, says, ...resources }: Planned,
  pauseMs: number,
): string {
  if (kind === 'nothing') return `${service} is so already`
  const what = `${service} is to run as ${image} with ${describeResources(resources)}`
  if (kind === 'machine')
    return `the account is to run ${service} with ${describeResources(resources)}: it moves it to another machine, in some minutes in which nobody may reach it`
  if (kind === 'version')
    return `the account is to run ${service} as ${image} with ${describeResources(resources)}, in ten minutes or more in which nobody may reach it. ${says}`
  if (kind === 'restart') return `${what}: it is stopped, and started again on its data`
  const size = bytes === null ? 'of which nobody knows how much it is' : `${formatBytes(bytes)} on its disk`
  const time = estimateMs === null ? '' : `, about ${formatDuration(estimateMs)}`
  return `${what}: its data (${size}) goes into a new volume${time}. Its sessions end, and nobody reaches it meanwhile, for ${formatDuration(pauseMs)} at the most`
}

async function finish(
  session: Session,
  client: Client,
  { service, undo }: { service: string; undo: boolean },
): Promise<void> {
  const params = { service }
  const kept = (await client.getService({ params })).run?.kept
  if (!kept) throw new RackError('conflict', `nothing is kept of what ${service} was before an update`)
  const question = undo
    ? `Go back to ${service} as ${kept} had it, and lose what was written since?`
    : `Drop the data of ${service} as ${kept} had it?`
  await confirm(session, question, service)
  using following = await startFollowing(session)
  const lines = client.finishServiceUpdate({ params, body: { undo } })
  const call = () => client.cancelService({ params })
  const found = await following.follow(lines, { what: `the end of the update of ${service}`, call })
  following.result(found)
  following.note(
    undo ? `${service} is ${kept} again, with the data of then` : `the data of ${kept} is dropped`,
  )
}
