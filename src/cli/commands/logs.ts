import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { followLogs } from '../follow-logs.ts'
import type { Session } from '../session.ts'
import { sinceTime } from '../since-time.ts'

type Line = Reply<'appLogs'>

const defaultTail = 100

/** `rack logs`. */
export const logs: CommandSpec = {
  name: 'logs',
  arguments: '[app]',
  summary: "an app's log lines",
  description: [
    `The newest ${defaultTail} lines, or all since --since; Ctrl-C ends --follow.`,
    '--grep takes a text as it is, or a regular expression between slashes, which sees the first 8192 characters of a line.',
  ].join('\n'),
  examples: [
    'logs',
    'logs guestbook -f',
    'logs --since 10m --type web --type worker',
    'logs --process PABCDEFGHIJ --json',
    "logs --grep '/time(d )?out/i' --since 1h",
    'logs --all --follow',
  ],
  options: [
    { flags: '-f, --follow', meaning: 'new lines as they come' },
    { flags: '--since <time>', meaning: 'a duration (10m, 1h30m) or an RFC 3339 time' },
    { flags: '-n, --tail <number>', meaning: 'the newest lines only' },
    { flags: '-t, --type <type>', meaning: 'of one process type; repeat it for more', multiple: true },
    { flags: '-p, --process <id>', meaning: 'of one process' },
    { flags: '-r, --release <id>', meaning: 'of processes that one release started' },
    { flags: '-g, --grep <pattern>', meaning: 'that hold a text, or that match /an expression/' },
    { flags: '--all', meaning: 'of all apps' },
    { flags: '--timestamps', meaning: 'the full time of each line' },
  ],
  needs: 'app',
  run: async (session) => await showLogs(session, scopeOf(session)),
}

/** Prints the lines that the options of a command ask for, of an app, a service or all apps. */
export async function showLogs(session: Session, scope: LogScope): Promise<void> {
  const { output, options, isJson } = session
  const client = await session.connect()
  if (isJson) session.beginStream()
  const query = queryOf(options)
  const show = createLinePrinter(session, scope.kind === 'all')
  const leaving = leaveAtInterrupt(session)
  try {
    for await (const line of linesOf(session, client, { scope, query, signal: leaving.signal })) {
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
}

export type LogScope = { kind: 'all' } | { kind: 'app' | 'service'; name: string }

type Query = NonNullable<Parameters<Client['rackLogs']>[0]>['query'] & {}

interface Asked {
  scope: LogScope
  query: Query
  signal: AbortSignal
}

/** @throws usage when an app is named, and all are asked for */
function scopeOf(session: Session): LogScope {
  const [positional] = session.args
  if (!session.options.flag('all')) return { kind: 'app', name: session.app({ positional }).name }
  if (positional === undefined && session.options.text('app') === undefined) return { kind: 'all' }
  throw new RackError('usage', '--all is of every app, and one is named')
}

function queryOf(options: Session['options']): Query {
  const types = options.list('type')
  const since = sinceTime(options.text('since'))
  return {
    types: types.length > 0 ? types : undefined,
    process: options.text('process'),
    release: options.text('release'),
    since,
    grep: options.text('grep'),
    tail: tailOf(options.text('tail'), since),
    follow: options.flag('follow'),
  }
}

function linesOf({ output }: Session, client: Client, { scope, query, signal }: Asked): AsyncIterable<Line> {
  const ask = (after?: string) => {
    const asked = after === undefined ? query : { ...query, tail: undefined, after }
    if (scope.kind === 'all') return client.rackLogs({ query: asked }, { signal })
    const { kind, name } = scope
    if (kind === 'service') return client.serviceLogs({ params: { service: name }, query: asked }, { signal })
    return client.appLogs({ params: { app: name }, query: asked }, { signal })
  }
  if (!query.follow) return ask()
  const onLost = () => output.say('the rack went away; waiting for it to come back')
  return followLogs(client, ask, { signal, onLost })
}

function tailOf(text: string | undefined, since: string | undefined): number | undefined {
  if (text === undefined) return since === undefined ? defaultTail : undefined
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new RackError('usage', `--tail: "${text}" is not a whole number below a million`)
}

function createLinePrinter({ output, options }: Session, isOfAll: boolean): (line: Line) => void {
  const { cyan, green, magenta, yellow, blue, dim, red } = output.colors.data
  const palette = [cyan, green, magenta, yellow, blue]
  const colors = new Map<string, (text: string) => string>()
  const isFull = options.flag('timestamps')
  const marks = { stdout: dim('|'), stderr: red('|'), rack: yellow('!') }
  let widest = 0
  return ({ time, app, process: type, id, stream, text }) => {
    const source = `${app}/${type}`
    const color = colors.get(source) ?? palette[colors.size % palette.length]!
    colors.set(source, color)
    const name = [...(isOfAll ? [app] : []), type, ...(id === '' ? [] : [id])].join('/')
    widest = Math.max(widest, name.length)
    const shown = dim(isFull ? time : time.slice(11, 19))
    output.data(`${shown} ${color(name.padEnd(widest))} ${marks[stream]} ${text}\n`)
  }
}

function leaveAtInterrupt({ world }: Session): { signal: AbortSignal; stop: () => void } {
  const leaving = new AbortController()
  const stop = world.onInterrupt(() => leaving.abort(new RackError('cancelled', 'stopped following')))
  return { signal: leaving.signal, stop }
}
