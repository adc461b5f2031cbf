import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { parseForward, type Forward } from '../proxy/parse-forward.ts'
import { mostConnections, serveForwards } from '../proxy/serve-forwards.ts'

/** `rack proxy`. */
export const proxy: CommandSpec = {
  name: 'proxy',
  arguments: '<forward...>',
  summary: 'ports of this machine that lead to processes of an app, until Ctrl-C',
  description: [
    'Each is [LOCAL:]HOST:PORT: it listens on 127.0.0.1:LOCAL, the same port unless given, 0 for any free one; HOST is a type,',
    "an alias or the id of one of the app's processes, PORT any port that it listens on. Nothing else can be reached.",
    `At most ${mostConnections} connections at once. With --json a line for each port that it listens on.`,
  ].join('\n'),
  examples: ['proxy redis:6379', 'proxy 15432:db:5432 8025:mail:8025', 'proxy --json 0:redis:6379'],
  needs: 'app',
  async run(session) {
    const forwards = session.args.map(parseForward)
    const { name: app } = session.app()
    const client = await session.connect()
    await serveForwards(session, forwards, {
      ready: (signal) => checkHosts({ client, app, signal }, forwards),
      connect: ({ host, port }, local, signal) =>
        client.connectInside({ params: { app }, query: { host, port } }, local, { signal }),
      nameOf: ({ host, port }) => ({ facts: { app, host, port }, text: `${host}:${port} of ${app}` }),
    })
  },
}

/**
 * A host that is none of the app's is refused before anything listens. Types are known from the list; another name may be
 * an alias, which the rack is asked about by a connection that is closed at once.
 * @throws not-found
 */
async function checkHosts(
  { client, app, signal }: { client: Client; app: string; signal: AbortSignal },
  forwards: Forward[],
): Promise<void> {
  const processes = await client.listProcesses({ params: { app } })
  const known = new Set(processes.flatMap(({ type, id }) => [type, id]))
  for (const { host, port } of forwards.filter((forward) => !known.has(forward.host))) {
    const opened = new AbortController()
    const nothing = {
      input: silence(opened.signal),
      output: async () => undefined,
      end: () => undefined,
      opened: () => opened.abort(new RackError('cancelled', 'that is all it was opened for')),
    }
    const either = AbortSignal.any([signal, opened.signal])
    try {
      await client.connectInside({ params: { app }, query: { host, port } }, nothing, { signal: either })
    } catch (error) {
      // Nothing may listen there yet; its name is one.
      const isNamed = error instanceof RackError && error.code === 'unreachable' && error.requestId
      if (!opened.signal.aborted && !isNamed) throw error
    }
  }
}

/** No byte, and no end before the signal's. */
async function* silence(signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  yield new Uint8Array()
}
