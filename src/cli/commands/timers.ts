import type { Client, Reply } from '../../client/client-types.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatFacts, formatTable, type Column } from '../output/table.ts'
import { ago, ahead, clockTime, tookBetween } from '../output/times.ts'
import type { Session } from '../session.ts'

type Timer = Reply<'getTimer'>
type Run = Reply<'timerHistory'>[number]

const info: CommandSpec = {
  name: 'info',
  arguments: '<timer>',
  summary: 'one timer: when it runs next, what it runs, how the last run ended',
  description: 'Where several processes have a timer of that name, it is called TYPE.NAME.',
  examples: ['timers info nightly', 'timers info web.nightly --app guestbook'],
  needs: 'app',
  async run(session) {
    const { client, app, timer } = await open(session)
    const found = await client.getTimer({ params: { app, timer } })
    if (session.isJson) session.output.json(found)
    else session.output.data(describe(found))
  },
}

const run: CommandSpec = {
  name: 'run',
  arguments: '<timer>',
  summary: 'run a timer now, as if it were time',
  description: [
    'It does not wait for the end. Where a run that is not over keeps this one from running (the default), it is refused;',
    'with rack.cron.NAME.overlap=queue it waits, with replace it takes the place of the other.',
  ].join('\n'),
  examples: ['timers run nightly', 'timers run web.nightly --app guestbook --json'],
  needs: 'app',
  async run(session) {
    const { output, isJson } = session
    const { client, app, timer } = await open(session)
    const made = await client.runTimer({ params: { app, timer } })
    if (isJson) output.json(made)
    else if (made.processId !== null) {
      output.say(`${timer} of ${app} runs; what it says: rack logs --process ${made.processId} --app ${app}`)
      output.data(made.processId)
    } else output.say(`${timer} of ${app}: ${statusText(made)}${made.reason ? `: ${made.reason}` : ''}`)
    return made.status === 'failed' ? 1 : 0
  },
}

const history: CommandSpec = {
  name: 'history',
  arguments: '[timer]',
  summary: 'what has become of the runs, newest first',
  description: [
    'MISSED is how many times had passed unseen (the rack was away) that a run made up for. What a run printed:',
    'rack logs --process PROCESS. Of each timer the last hundred runs are kept.',
  ].join('\n'),
  examples: ['timers history', 'timers history nightly --limit 5', 'timers history nightly --json'],
  options: [{ flags: '--limit <number>', meaning: 'how many; 20 unless given' }],
  needs: 'app',
  async run(session) {
    const { output, options, isJson } = session
    const { name: app } = session.app()
    const client = await session.connect()
    const [timer] = session.args
    const query = { limit: options.text('limit') ?? '20', ...(timer !== undefined && { timer }) }
    const runs = await client.timerHistory({ params: { app }, query })
    if (isJson) return output.json(runs)
    if (runs.length === 0)
      return output.say(`no timer of ${app} has run yet; see when: rack timers --app ${app}`)
    output.data(formatTable(runColumns, runs))
  },
}

/** `rack timers`. */
export const timers: CommandSpec = {
  name: 'timers',
  arguments: '[app]',
  summary: 'list timers: commands that run at given times',
  description: [
    'A timer is a label of a process in the compose file: rack.cron.NAME=MINUTE HOUR DAY MONTH WEEKDAY COMMAND.',
    'It runs in a process of its own, of the live release, in UTC unless rack.cron.NAME.timezone says otherwise.',
    'Times that pass while the rack is away are made up for by one run, which says how many they were.',
  ].join('\n'),
  examples: ['timers', 'timers info nightly', 'timers run nightly', 'timers history nightly'],
  needs: 'app',
  commands: [info, run, history],
  async run(session) {
    const { output, isJson } = session
    const { name: app } = session.app({ positional: session.args[0] })
    const client = await session.connect()
    const list = await client.listTimers({ params: { app } })
    if (isJson) return output.json(list)
    const hint = 'write the label rack.cron.NAME=0 3 * * * COMMAND, and deploy'
    if (list.length === 0) return output.say(`what is live of ${app} has no timers; for one, ${hint}`)
    output.data(formatTable(columns, list))
  },
}

const columns: Column<Timer>[] = [
  { heading: 'TIMER', value: ({ name }) => name },
  { heading: 'PROCESS', value: ({ process }) => process },
  { heading: 'TIMES', value: ({ schedule }) => schedule },
  { heading: 'NEXT', value: nextOf },
  { heading: 'LAST', value: ({ last }) => last && `${statusText(last)}, ${ago(last.due)}` },
]

const runColumns: Column<Run>[] = [
  { heading: 'DUE', value: ({ due }) => `${due.slice(0, 19)}Z` },
  { heading: 'TIMER', value: ({ timer }) => timer },
  { heading: 'STATUS', value: statusText },
  { heading: 'TOOK', value: ({ started, ended }) => tookBetween(started, ended), align: 'right' },
  { heading: 'MISSED', value: ({ missed }) => (missed === 0 ? null : missed), align: 'right' },
  { heading: 'PROCESS', value: ({ processId }) => processId },
  { heading: 'RELEASE', value: ({ release }) => release },
  { heading: 'BY', value: ({ actor }) => actor },
  { heading: 'WHY', value: ({ reason }) => reason },
]

function statusText({ status, exitCode }: Run): string {
  return status === 'complete' ? `exit ${exitCode ?? 'not known'}` : status
}

function nextOf({ next: [first], timezone }: Timer): string | null {
  return first === undefined ? null : `${clockTime(first, timezone)} (${ahead(first)})`
}

function describe(timer: Timer): string {
  const { name, app, process, schedule, timezone, next, command, overlap, timeoutMs, last } = timer
  return formatFacts([
    ['timer', name],
    ['app', app],
    ['process', process],
    ['command', command],
    ['times', `${schedule} (${timezone})`],
    ['next', next.map((time) => clockTime(time, timezone)).join(', ')],
    ['overlap', overlap],
    ['at most', timeoutMs === null ? 'no limit' : `${timeoutMs / 1000} s`],
    ['last run', last && `${statusText(last)}, due ${last.due} (${ago(last.due)})`],
    ['because', last?.reason ?? undefined],
    ['its log', last?.processId ? `rack logs --process ${last.processId} --app ${app}` : undefined],
  ])
}

async function open(session: Session): Promise<{ client: Client; app: string; timer: string }> {
  const { name: app } = session.app()
  return { client: await session.connect(), app, timer: session.args[0]! }
}
