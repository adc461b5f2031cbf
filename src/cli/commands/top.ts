import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import { pause } from '../../lib/poll.ts'
import { formatDuration } from '../../lib/sizes.ts'
import type { CommandSpec } from '../command-spec.ts'
import type { Screen } from '../output/screen.ts'
import type { Session } from '../session.ts'
import { formatUsage } from '../top/usage-table.ts'
import { orders, viewUsage, type AppView, type Order } from '../top/usage-view.ts'

type Usage = Reply<'readUsage'>[number]

/** `rack top`. */
export const top: CommandSpec = {
  name: 'top',
  summary: 'what apps, processes and copies take and serve, as it happens',
  description: [
    'Cpu of one core, memory of its limit, requests and errors by second, how long answers take, restarts (OOM: those for want of',
    'memory) and how long each runs. On a terminal it is drawn in place until Ctrl-C; elsewhere it is a table each time.',
    'With --json each sample is a line.',
  ].join('\n'),
  examples: ['top', 'top --app guestbook --interval 5', 'top --sort memory --once', 'top --once --json'],
  options: [
    { flags: '--interval <seconds>', meaning: 'between two samples; 2 when absent' },
    { flags: '--once', meaning: 'one sample, of the time of one interval' },
    { flags: '--sort <by>', meaning: `${orders.join(', ')}; cpu when absent` },
  ],
  needs: 'app',
  async run(session) {
    const { options, world } = session
    const intervalMs = readInterval(options.text('interval'))
    const order = readOrder(options.text('sort'))
    const client = await session.connect()
    const leaving = new AbortController()
    const stop = world.onLeave(() => leaving.abort(new RackError('cancelled', 'stopped watching')))
    const { signal } = leaving
    const read = async () => await client.readUsage({ query: { app: options.text('app') } }, { signal })
    try {
      let before = await read()
      using view = openView(session, intervalMs)
      do {
        await pause(intervalMs, signal)
        const now = await view.unlessAway(read)
        if (!now) continue
        await view.show(viewUsage(before, now, order))
        before = now
      } while (!options.flag('once'))
    } catch (error) {
      // To stop watching is how it ends.
      if (!signal.aborted) throw error
    } finally {
      stop()
    }
  },
}

interface View extends Disposable {
  show(apps: AppView[]): Promise<void>
  /** Gives null, and says so, while the rack is away and there is a screen to say it on. */
  unlessAway(read: () => Promise<Usage[]>): Promise<Usage[] | null>
}

function openView(session: Session, intervalMs: number): View {
  const { output, isJson, options } = session
  const isOnce = options.flag('once')
  if (isJson && !isOnce) session.beginStream()
  const screen = isJson || isOnce ? null : output.screen()
  if (!screen) {
    const show = isJson ? recordOf(session) : tableOf(session)
    return { show, unlessAway: (read) => read(), [Symbol.dispose]: () => undefined }
  }
  // Whatever ends the program, the terminal is as it was.
  session.world.onEnd(() => screen[Symbol.dispose]())
  return drawnOn(screen, session, intervalMs)
}

function recordOf({ output }: Session): View['show'] {
  return async (apps) => {
    output.record({ time: new Date().toISOString(), apps })
    await output.ready()
  }
}

function tableOf({ output }: Session): View['show'] {
  return async (apps) => {
    const lines = formatUsage(apps, Date.now()).map(({ text }) => `${text}\n`)
    output.data(apps.length === 0 ? 'no app of the rack runs\n' : `${lines.join('')}\n`)
    await output.ready()
  }
}

function drawnOn(screen: Screen, { rack, output }: Session, intervalMs: number): View {
  const { dim, red, yellow } = output.colors.data
  const { name } = rack()
  let apps: AppView[] = []
  const draw = (trouble: string | null) => {
    const about = `${name}, every ${formatDuration(intervalMs)}, Ctrl-C ends`
    const head = trouble === null ? { text: about, paint: dim } : { text: trouble, paint: yellow }
    const lines = formatUsage(apps, Date.now()).map(({ text, isBad }) =>
      isBad ? { text, paint: red } : { text },
    )
    screen.show([head, { text: '' }, ...lines])
  }
  draw(null)
  return {
    async show(found) {
      apps = found
      draw(null)
      await output.ready()
    },
    async unlessAway(read) {
      try {
        return await read()
      } catch (error) {
        if (!(error instanceof RackError) || !isAway.has(error.code)) throw error
        draw(`${error.message}; asked again every ${formatDuration(intervalMs)}`)
        return null
      }
    },
    [Symbol.dispose]: () => screen[Symbol.dispose](),
  }
}

const isAway: ReadonlySet<string> = new Set(['unreachable', 'engine-unavailable'])

const [shortestMs, longestMs, usualMs] = [200, 3_600_000, 2000]

/** @throws usage */
function readInterval(text: string | undefined): number {
  if (text === undefined) return usualMs
  const ms = /^\d{1,5}(\.\d{1,3})?$/.test(text) ? Number(text) * 1000 : 0
  if (ms >= shortestMs && ms <= longestMs) return ms
  throw new RackError('usage', `--interval: "${text}" is no number of seconds from 0.2 to 3600`, {
    hint: 'rack top --interval 5',
  })
}

/** @throws usage */
function readOrder(text: string | undefined): Order {
  const order = text === undefined ? 'cpu' : orders.find((each) => each === text)
  if (order) return order
  throw new RackError('usage', `--sort: "${text}" is none of ${orders.join(', ')}`, {
    hint: 'rack top --sort memory',
  })
}
