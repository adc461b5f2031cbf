import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import type { Session } from '../session.ts'

type Watched = Reply<'watchEvents'>

/** `rack events`. */
export const events: CommandSpec = {
  name: 'events',
  summary: 'what changes of the rack, as it happens',
  description:
    'Apps, releases, operations, processes and timers, from now on or after a place; Ctrl-C ends it.',
  examples: ['events', 'events --after 4711', 'events --json'],
  options: [{ flags: '--after <cursor>', meaning: 'go on after the last event that was seen' }],
  needs: 'rack',
  async run(session) {
    const { output, options, isJson, world } = session
    let cursor = cursorOf(options.text('after'))
    const client = await session.connect()
    if (isJson) session.beginStream()
    const leaving = new AbortController()
    const stop = world.onInterrupt(() => leaving.abort(new RackError('cancelled', 'stopped watching')))
    try {
      for await (const record of client.watchEvents({ query: { after: cursor } }, leaving)) {
        cursor = record.cursor
        if (isJson) output.record(record)
        else show(session, record)
        await output.ready()
      }
    } catch (error) {
      // To stop watching is how it ends.
      if (!leaving.signal.aborted) throw resumable(error, cursor)
    } finally {
      stop()
    }
  },
}

/** @throws usage */
function cursorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new RackError('usage', `--after: "${text}" is no cursor`, {
    hint: 'The number at the beginning of a line of: rack events',
  })
}

function show({ output }: Session, record: Watched): void {
  if (record.type === 'start') return
  const { dim, cyan } = output.colors.data
  const { cursor, time, noun, change, app, id, facts } = record
  const what = noun === 'app' || app === '' ? id : `${app} ${id}`
  const more = [change, ...Object.entries(facts).map(([name, value]) => `${name}=${value}`)].join(' ')
  output.data(`${dim(`${cursor} ${time.slice(11, 19)}`)} ${cyan(noun)} ${what} ${more}\n`)
}

/** A rack that goes away loses nothing: whoever comes back goes on where they were. */
function resumable(error: unknown, cursor: number | undefined): unknown {
  if (!(error instanceof RackError) || error.code !== 'unreachable' || cursor === undefined) return error
  return new RackError('unreachable', error.message, {
    hint: `Go on when it is back: rack events --after ${cursor}`,
    cause: error,
  })
}
