import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { AppProcess, ExitCode } from '../../domain/process.ts'
import type { Terminal } from '../../domain/terminal.ts'
import { formatDuration, parseDuration } from '../../lib/sizes.ts'
import type { CommandSpec, OptionSpec } from '../command-spec.ts'
import type { Session } from '../session.ts'
import { findProcess } from './ps.ts'

export const terminalOptions: OptionSpec[] = [
  { flags: '--tty', meaning: 'a terminal for the process even when this is none' },
  { flags: '--no-tty', meaning: 'no terminal: standard output and error stay apart' },
  { flags: '--no-stdin', meaning: 'close its standard input at once' },
]

/** `rack run`. */
export const run: CommandSpec = {
  name: 'run',
  arguments: '<type> [command...]',
  summary: 'run a one-off process of a type, with its environment and links',
  description: [
    'Attached, with a real terminal when this is one; its exit code is the exit code of this command.',
    'With --json its output becomes one record a line; the last one has the process and its exit code.',
    "Without a command it runs the type's own. Options for rack go before the type, or before a --.",
  ].join('\n'),
  examples: [
    'run web -- node console.js',
    "run web sh -c 'exit 7'",
    'run --detach --timeout 10m worker -- node import.js',
    'run --release RABCDEFGHIJ web sh',
  ],
  options: [
    ...terminalOptions,
    {
      flags: '-d, --detach',
      meaning:
        'start it, print its id and leave; rack logs --process shows its output, rack ps info its exit code',
    },
    { flags: '--release <id>', meaning: 'of another release than the live one' },
    { flags: '--timeout <duration>', meaning: 'end it when it runs longer, such as 10m' },
  ],
  needs: 'app',
  isPassThrough: true,
  async run(session) {
    const { output, options, isJson } = session
    const { name: app } = session.app()
    const { first: type, command } = splitCommand(session.args)
    const timeoutMs = timeoutOf(options.text('timeout'))
    const release = options.text('release')
    const client = await session.connect()
    if (options.flag('detach')) {
      const body = { type, command, release: release ?? null, timeoutMs: timeoutMs ?? null }
      const started = await client.runProcess({ params: { app }, body })
      if (isJson) output.json(started)
      else {
        output.data(started.id)
        output.say(`see what becomes of it: rack ps info ${started.id} --app ${app}`)
      }
      return 0
    }
    const query = { type, command, release, timeoutMs }
    let started: AppProcess | null = null
    let since = performance.now()
    const onStarted = (oneOff: AppProcess) => {
      started = oneOff
      since = performance.now()
    }
    const exitCode = await attach(
      session,
      (terminal) => client.attachProcess({ params: { app }, query }, terminal, { onStarted }),
      () => started,
    )
    const isLate = timeoutMs !== undefined && performance.now() - since >= timeoutMs
    if (isLate && exitCode > 128)
      output.say(`it was ended after ${formatDuration(timeoutMs)}, as --timeout says`)
    return exitCode
  },
}

/** `rack exec`. */
export const exec: CommandSpec = {
  name: 'exec',
  arguments: '<process> <command...>',
  summary: 'run a command inside a process',
  description: [
    'Binary-safe: what comes on standard input reaches the command, and its exit code is the exit code of this one.',
    'The process is found by its id in any app; a type stands for one of its running copies.',
  ].join('\n'),
  examples: ['exec PABCDEFGHIJ sh', 'exec web -- node -v', 'echo hi | rack exec PABCDEFGHIJ cat'],
  options: terminalOptions,
  needs: 'app',
  isPassThrough: true,
  async run(session) {
    const { first, command } = splitCommand(session.args)
    const client = await session.connect()
    const found = await findTarget(session, client, first)
    const { app, id } = found
    return await attach(
      session,
      (terminal) => client.execProcess({ params: { app, process: id }, query: { command } }, terminal),
      () => found,
    )
  },
}

/** Joins the process to this terminal, or with --json to NDJSON that ends with its exit code. */
export async function attach(
  session: Session,
  join: (terminal: Terminal) => Promise<ExitCode>,
  processOf: () => AppProcess | null,
): Promise<ExitCode> {
  const { options, output, isJson, world } = session
  const hasInput = !options.isOff('stdin')
  if (!isJson) {
    const { openLocalTerminal } = await import('../terminal/local-terminal.ts')
    const tty = options.isOff('tty') ? false : options.flag('tty') || null
    using local = openLocalTerminal(world, { tty, hasInput })
    return await join(local.terminal)
  }
  if (options.flag('tty'))
    throw new RackError('usage', 'a terminal has no lines: --tty and --json exclude each other')
  session.beginStream()
  const { openRecordTerminal } = await import('../terminal/record-terminal.ts')
  const { record, ready } = output
  const recording = openRecordTerminal({ stdin: world.stdin, hasInput, record, ready })
  const exitCode = await join(recording.terminal)
  recording.end()
  record({ type: 'result', result: { process: processOf(), exitCode } })
  return exitCode
}

async function findTarget(session: Session, client: Client, word: string): Promise<AppProcess> {
  if (/^P[A-Z]{10}$/.test(word)) return await findProcess(session, client, word)
  const { name: app } = session.app()
  const copies = await client.listProcesses({ params: { app }, query: { type: word } })
  const running = copies.find(({ status, kind }) => status === 'running' && kind === 'process') ?? copies[0]
  if (running) return running
  throw new RackError('not-found', `${app} has no process "${word}"`, { hint: `rack ps --app ${app}` })
}

/** Drops the `--` that separates the command, which is no word of it. */
function splitCommand([first = '', ...rest]: string[]): { first: string; command: string[] } {
  return { first, command: rest[0] === '--' ? rest.slice(1) : rest }
}

function timeoutOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const timeoutMs = parseDuration(/^\d+$/.test(text) ? `${text}s` : text)
  if (timeoutMs !== null && timeoutMs >= 1) return Math.round(timeoutMs)
  throw new RackError('usage', `--timeout: "${text}" is no duration`, { hint: 'Such as 90s or 10m.' })
}
