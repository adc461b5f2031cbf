import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { Client } from '../../client/client-types.ts'
import type { CommandSpec } from '../command-spec.ts'
import { gapText } from '../../domain/overlap.ts'
import { startFollowing, type Cancel } from '../follow.ts'
import { describeAdmission } from '../output/admission.ts'
import { nextText } from '../output/next-time.ts'
import { receiptText, showPromoted } from '../output/promoted.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import type { Session } from '../session.ts'

const info: CommandSpec = {
  name: 'info',
  arguments: '[release]',
  summary: 'one release: the newest unless named',
  examples: ['releases info', 'releases info RABCDEFGHIJ'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const release = await namedOrNewest(session, client, app)
    const found = await client.getRelease({ params: { app, release } })
    if (session.isJson) return session.output.json(found)
    const { id, build, description, created, basedOn, live, links, receipt } = found
    session.output.data(
      formatFacts([
        ['release', live ? `${id} (live)` : id],
        ['app', app],
        ['build', build],
        ['description', description],
        ['created', `${created} (${ago(created)})`],
        ['based on', basedOn],
        ['links', links.length === 0 ? undefined : linksText(links)],
        ['promote', receipt && receiptText(receipt)],
        ['first minute', crashText(found)],
      ]),
    )
  },
}

/** `db → main, cache → sessions` */
function linksText(links: Reply<'getRelease'>['links']): string {
  return links.map(({ alias, service }) => `${alias} → ${service}`).join(', ')
}

/** `web crashed (1) ×2`: what did not stay of a release in the minute after its promote. */
function crashText({ crashed }: Pick<Reply<'getRelease'>, 'crashed'>): string | null {
  return crashed.length === 0 ? null : crashed.map(({ type, detail }) => `${type} ${detail}`).join('; ')
}

const manifest: CommandSpec = {
  name: 'manifest',
  arguments: '[release]',
  summary: "the text of a release's compose file",
  examples: ['releases manifest', 'releases manifest RABCDEFGHIJ > docker-compose.yml'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const release = await namedOrNewest(session, client, app)
    const found = await client.releaseManifest({ params: { app, release } })
    if (session.isJson) session.output.json(found)
    else session.output.data(found.text)
  },
}

const diff: CommandSpec = {
  name: 'diff',
  arguments: '[from] [to]',
  summary: 'what differs: from the live release to the newest unless named',
  description: 'Names of variables are shown, never their values.',
  examples: ['releases diff', 'releases diff RAAAAAAAAAA RBBBBBBBBBB'],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const [from, to] = session.args
    const found = await client.diffReleases({ params: { app }, query: { from, to } })
    if (session.isJson) return session.output.json(found)
    const { describeDiff } = await import('../output/release-diff.ts')
    session.output.data(describeDiff(found))
  },
}

/** For who knows that nothing is to be migrated, or that it was done by hand. */
export const withoutCommand = {
  flags: '--no-release-command',
  meaning: 'run no release command (rack.release.command)',
}

const promote: CommandSpec = {
  name: 'promote',
  arguments: '[release]',
  summary: 'make a release the live one: the newest unless named',
  description: 'With --plan nothing is touched: what would be replaced, and whether it fits.',
  examples: ['releases promote', 'releases promote RABCDEFGHIJ', 'releases promote RABCDEFGHIJ --plan'],
  options: [{ flags: '--plan', meaning: 'show what it would do, and do nothing' }, withoutCommand],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const release = await namedOrNewest(session, client, app)
    if (session.options.flag('plan'))
      return showPlan(session, await client.planPromotion({ params: { app, release } }))
    await promoteRelease(session, client, app, release)
    return 0
  },
}

const rollback: CommandSpec = {
  name: 'rollback',
  arguments: '[release]',
  summary: 'go back to the build, the environment and the links of an old release',
  description:
    'Makes a new release of them and promotes it. Without an id: the release that was live before.',
  examples: ['releases rollback', 'releases rollback RABCDEFGHIJ'],
  options: [withoutCommand],
  needs: 'app',
  async run(session) {
    const { client, app } = await open(session)
    const release = session.args[0] ?? 'previous'
    using following = await startFollowing(session)
    const lines = client.rollbackRelease({ params: { app, release }, query: promoteQuery(session) })
    const cancel = cancelOfPromote(client, app, 'the rollback')
    const result = await following.follow(lines, cancel)
    showPromoted(session, following, result)
  },
}

/** `rack releases`. */
export const releases: CommandSpec = {
  name: 'releases',
  arguments: '[app]',
  summary: 'list releases, newest first',
  examples: [
    'releases',
    'releases diff',
    'releases promote',
    'releases rollback',
    'releases guestbook --limit 50',
  ],
  options: [{ flags: '--limit <number>', meaning: 'how many; 20 unless given' }],
  needs: 'app',
  commands: [info, manifest, diff, promote, rollback],
  async run(session) {
    const { output, options } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const limit = options.text('limit') ?? '20'
    const list = await client.listReleases({ params: { app }, query: { limit } })
    if (session.isJson) return output.json(list)
    if (list.length === 0)
      return output.say(`${app} has no release yet; make one with: rack deploy --app ${app}`)
    type Row = Reply<'listReleases'>[number]
    const { green, red } = output.colors.data
    const isShaky = (row: Row) => row.crashed.length > 0
    const columns = [
      { heading: 'RELEASE', value: ({ id }: Row) => id },
      {
        heading: 'LIVE',
        value: ({ live }: Row) => (live ? 'live' : ''),
        paint: (text: string, { live }: Row) => (live ? green(text) : text),
      },
      // A column of its own only where there is something to say.
      ...(list.some(isShaky)
        ? [{ heading: 'FIRST MINUTE', value: crashText, paint: (text: string) => red(text) }]
        : []),
      { heading: 'BUILD', value: ({ build }: Row) => build },
      { heading: 'CREATED', value: ({ created }: Row) => ago(created) },
      { heading: 'DESCRIPTION', value: ({ description }: Row) => description },
    ]
    output.data(formatTable(columns, list))
  },
}

/** What the options of a command say of its promote. */
export function promoteQuery({ options }: Session): { releaseCommand: boolean } {
  return { releaseCommand: !options.isOff('release-command') }
}

/** How a promote is ended, and what to type when that comes too late. */
export function cancelOfPromote(client: Client, app: string, what = 'the promote'): Cancel {
  const call = () => client.cancelApp({ params: { app } })
  return { what, call, instead: `rack releases rollback --app ${app}` }
}

/** Promotes and shows it; an interrupt cancels it. */
export async function promoteRelease(
  session: Session,
  client: Client,
  app: string,
  release: string,
): Promise<void> {
  using following = await startFollowing(session)
  const lines = client.promoteRelease({ params: { app, release }, query: promoteQuery(session) })
  const cancel = cancelOfPromote(client, app)
  showPromoted(session, following, await following.follow(lines, cancel))
}

function showPlan({ output, isJson }: Session, promotion: Reply<'planPromotion'>): number {
  const {
    admission,
    replaced,
    reasons,
    stopped,
    kept,
    removed,
    missing,
    obstacles,
    additions,
    plan,
    timers,
  } = promotion
  const lacking = Object.entries(missing)
  const exitCode = admission.fits && lacking.length + obstacles.length === 0 ? 0 : 1
  if (isJson) {
    output.json(promotion)
    return exitCode
  }
  const names = (list: string[]) => (list.length === 0 ? null : list.join(', '))
  output.data(
    formatFacts([
      ['release', plan.release],
      ['would replace', names(replaced)],
      ...replaced.map((type): [string, string] => [`why ${type}`, reasons[type]?.join(', ') ?? '']),
      ['would stop first', names(stopped)],
      ['would keep', names(kept)],
      ['would remove', names(removed)],
      ...lacking.map(([type, variables]): [string, string] => [`missing for ${type}`, variables.join(', ')]),
      ...obstacles.map(({ message }): [string, string] => ['refused', message]),
      ...additions.map((text): [string, string] => ['would make', text]),
    ]),
  )
  for (const type of plan.processes) if (stopped.includes(type.type)) output.data(`\n${gapText(type)}\n`)
  output.data(`\n${describeAdmission(admission)}`)
  for (const timer of timers) {
    const room = timer.fits ? '' : '; a run would find no room beside all that runs'
    output.data(`${nextText(timer)}${room}\n`)
  }
  return exitCode
}

async function open(session: Session): Promise<{ client: Client; app: string }> {
  const { name: app } = session.app()
  return { client: await session.connect(), app }
}

async function namedOrNewest(session: Session, client: Client, app: string): Promise<string> {
  if (session.args[0] !== undefined) return session.args[0]
  const [newest] = await client.listReleases({ params: { app }, query: { limit: 1 } })
  if (newest) return newest.id
  throw new RackError('not-found', `${app} has no release yet`, { hint: `rack deploy --app ${app}` })
}
