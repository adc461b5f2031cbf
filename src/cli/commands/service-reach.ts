import { RackError } from '../../domain/error.ts'
import { linkUrl } from '../../domain/link.ts'
import type { CommandSpec } from '../command-spec.ts'
import { serveForwards } from '../proxy/serve-forwards.ts'
import { attach, terminalOptions } from './run.ts'

/** `rack services console`. */
export const openConsole: CommandSpec = {
  name: 'console',
  arguments: '<service>',
  summary: "the service's own client, as its administrator: psql, mariadb, redis-cli",
  description:
    'With a real terminal when this is one; it reads what is piped into it too. Its exit code is the one of this command.',
  examples: [
    'services console main',
    'services console main --database shop_db',
    'services console main < dump.sql',
  ],
  options: [
    { flags: '--database <name>', meaning: 'which to begin with, where there are several' },
    ...terminalOptions,
  ],
  needs: 'rack',
  async run(session) {
    const service = session.args[0]!
    const database = session.options.text('database')
    const client = await session.connect()
    const query = database === undefined ? {} : { database }
    return await attach(
      session,
      (terminal) => client.openConsole({ params: { service }, query }, terminal),
      () => null,
    )
  },
}

/** `rack services proxy`. */
export const proxyService: CommandSpec = {
  name: 'proxy',
  arguments: '<service>',
  summary: 'a port of this machine that leads to a service, until Ctrl-C',
  description:
    "It listens on 127.0.0.1: the service's own port unless --port is given, 0 for any free one. Who connects logs in as by a link.",
  examples: [
    'services proxy main',
    'services proxy main --port 15432',
    'services proxy main --port 0 --json',
  ],
  options: [{ flags: '--port <port>', meaning: 'of this machine' }],
  needs: 'rack',
  async run(session) {
    const service = session.args[0]!
    const given = session.options.text('port')
    if (given !== undefined && !(/^\d{1,5}$/.test(given) && Number(given) <= 65_535)) {
      throw new RackError('usage', `--port: "${given}" is not a port`, {
        hint: 'A whole number up to 65535.',
      })
    }
    const client = await session.connect()
    const { address } = await client.getService({ params: { service } })
    const forward = { localPort: Number(given ?? address.port), host: service, port: address.port }
    await serveForwards(session, [forward], {
      ready: async () => undefined,
      connect: (_forward, local, signal) => client.connectService({ params: { service } }, local, { signal }),
      nameOf: ({ port }) => ({ facts: { service, port }, text: `${service}:${port}` }),
    })
  },
}

/** `rack services url`. */
export const showUrl: CommandSpec = {
  name: 'url',
  arguments: '<service>',
  summary: 'where a service is; with --reveal who logs in there too',
  description: [
    'Of one that somebody else runs. One that runs here gives each link a URL of its own: rack env --app APP --process TYPE',
    'shows that. --reveal is told of in the audit.',
  ].join('\n'),
  examples: ['services url main', 'services url main --reveal'],
  options: [{ flags: '--reveal', meaning: 'with its name and password' }],
  needs: 'rack',
  async run({ args, options, output, isJson, connect }) {
    const service = args[0]!
    const client = await connect()
    if (options.flag('reveal')) {
      const revealed = await client.revealService({ params: { service } })
      return isJson ? output.json(revealed) : output.data(`${revealed.url}\n`)
    }
    const { address } = await client.getService({ params: { service } })
    const url = linkUrl({ ...address, username: '', password: '' })
    if (isJson) output.json({ url })
    else output.data(`${url}\n`)
  },
}
