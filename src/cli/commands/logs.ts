import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { parseDuration } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import { followLogs } from '../follow-logs.ts'
import { printable } from '../output/progress.ts'
import type { Session } from '../session.ts'

type Line = Reply<'appLogs'>

const defaultTail = 100

/** `rack logs`. */
export const logs: CommandSpec = {
  name: 'logs',
  arguments: '[app]',
  summary: "an app's log lines",
  description: `The newest ${defaultTail} lines, or all since --since; Ctrl-C ends --follow.`,
  examples: [
    'logs',
    'logs guestbook -f',
    'logs --since 10m --type web --type worker',
    'logs --process PABCDEFGHIJ --json',
  ],
  options: [
    { flags: '-f, --follow', meaning: 'new lines as they come' },
    { flags: '--since <time>', meaning: 'a duration (10m, 1h30m) or an RFC 3339 time' },
    { flags: '-n, --tail <number>', meaning: 'the newest lines only' },
    { flags: '-t, --type <type>', meaning: 'of one process type; repeat it for more', multiple: true },
    { flags: '-p, --process <id>', meaning: 'of one process' },
    { flags: '--timestamps', meaning: 'the full time of each line' },
  ],
  needs: 'app',
  async run(session) {
    const { output, options, isJson } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    if (isJson) session.beginStream()
    const types = options.list('type')
    const since = sinceTime(options.text('since'))
    const query = {
      types: types.length > 0 ? types : undefined,
      process: options.text('process'),
      since,
      tail: tailOf(options.text('tail'), since),
      follow: options.flag('follow'),
    }
    const show = createLinePrinter(session)
    const leaving = leaveAtInterrupt(session)
    try {
      for await (const line of linesOf(session, client, { app, query, signal: leaving.signal })) {
        if (isJson) output.record(line)
        else show(line)
        await output.ready()
      }
    } catch (error) {
      // To stop following is how it ends.
      if (!leaving.signal.aborted) throw error
    } finally {
      leaving.stop()
    }
  },
}

interface Asked {
  app: string
  query: Parameters<Client['appLogs']>[0]['query']
  signal: AbortSignal
}

function linesOf({ output }: Session, client: Client, { app, query, signal }: Asked): AsyncIterable<Line> {
  if (!query?.follow) return client.appLogs({ params: { app }, query }, { signal })
  const onLost = () => output.say('the rack went away; waiting for it to come back')
  return followLogs(client, app, query, { signal, onLost })
}

/** `10m` ago, or a time as it is. @throws usage */
export function sinceTime(text: string | undefined, now = Date.now()): string | undefined {
  if (text === undefined) return undefined
  const duration = parseDuration(text)
  if (duration !== null) return new Date(now - duration).toISOString()
  const time = /^\d{4}-\d\d-\d\d([T ]|$)/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return new Date(time).toISOString()
  throw new RackError('usage', `--since: "${text}" is no time`, {
    hint: 'Such as 10m, 1h30m or 2026-11-20T10:00:00Z.',
  })
}

function tailOf(text: string | undefined, since: string | undefined): number | undefined {
  if (text === undefined) return since === undefined ? defaultTail : undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new RackError('usage', `--tail: "${text}" is not a whole number below a million`)
}

function createLinePrinter({ output, options }: Session): (line: Line) => void {
  const { cyan, green, magenta, yellow, blue, dim, red } = output.colors.data
  const palette = [cyan, green, magenta, yellow, blue]
  const colors = new Map<string, (text: string) => string>()
  const isFull = options.flag('timestamps')
  // What a process prints must not steer the terminal of its reader; a file gets it as it is.
  const clean = output.stdout.isTTY ? printable : (text: string) => text
  let widest = 0
  return ({ time, process, id, stream, text }) => {
    const color = colors.get(process) ?? palette[colors.size % palette.length]!
    colors.set(process, color)
    const name = `${process}/${id}`
    widest = Math.max(widest, name.length)
    const mark = stream === 'stderr' ? red('|') : dim('|')
    output.data(
      `${dim(isFull ? time : time.slice(11, 19))} ${color(name.padEnd(widest))} ${mark} ${clean(text)}\n`,
    )
  }
}

function leaveAtInterrupt({ world }: Session): { signal: AbortSignal; stop: () => void } {
  const leaving = new AbortController()
  const stop = world.onInterrupt(() => leaving.abort(new RackError('cancelled', 'stopped following')))
  return { signal: leaving.signal, stop }
}
