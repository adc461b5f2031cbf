import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { fromOption, readShare, readUrl, urlDescription, urlOptions } from '../read-url.ts'
import type { Session } from '../session.ts'
import { promoteRelease, withoutCommand } from './releases.ts'

type Changed = Reply<'setServiceUrl'>

/** `rack services set-url`. */
export const setUrl: CommandSpec = {
  name: 'set-url',
  arguments: '<service>',
  summary: 'change the URL: makes a release of every app that links it',
  description: [
    urlDescription,
    'Of a service that another rack shares: the line of another share, by --from.',
    'With --promote the releases are made live, one app after the other.',
  ].join('\n'),
  examples: [
    'services set-url main',
    'services set-url main --promote < main.url',
    'services set-url main --from main.share --promote',
  ],
  options: [
    ...urlOptions,
    fromOption,
    { flags: '--promote', meaning: 'make the new releases live, one app after the other' },
    withoutCommand,
  ],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const service = args[0]!
    const client = await session.connect()
    const { type } = await client.getService({ params: { service } })
    const body =
      type === 'shared' ? { share: await readShare(session) } : { url: await readUrl(session, undefined) }
    const before = await client.getService({ params: { service } })
    const changed = await client.setServiceUrl({ params: { service }, body })
    tellWarning(session, changed)
    if (changed.service.version === before.version)
      output.say(`nothing was changed: ${service} leads there already`)
    if (options.flag('promote')) return await promoteAll(session, client, changed)
    if (isJson) return output.json(changed)
    for (const { id, app } of changed.releases) {
      output.data(id)
      output.say(`make it live: rack releases promote ${id} --app ${app}`)
    }
  },
}

/** Each app by itself: one that fails keeps what it had, and the others go on. */
async function promoteAll(session: Session, client: Client, { releases }: Changed): Promise<number> {
  const { output } = session
  const failed: string[] = []
  for (const { app, id } of releases) {
    try {
      await promoteRelease(session, client, app, id)
    } catch (error) {
      const isLeft = !(error instanceof RackError) || error.code === 'cancelled'
      if (isLeft) throw error
      failed.push(app)
      output.say(output.colors.say.red(`${app}: ${error.message}`))
      output.say(`try again: rack releases promote ${id} --app ${app}`)
    }
  }
  const done = releases.length - failed.length
  output.say(
    `${done} of ${releases.length} apps are promoted${failed.length > 0 ? `; not: ${failed.join(', ')}` : ''}`,
  )
  return failed.length > 0 ? 1 : 0
}

function tellWarning({ output }: Session, { warning }: Changed): void {
  if (warning !== null) output.say(output.colors.say.yellow(warning))
}
