import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'

/** `rack services drop-data`. */
export const dropData: CommandSpec = {
  name: 'drop-data',
  arguments: '<service> <data>',
  summary: 'end a database that links have left in a service, for good',
  description: [
    'By the name that rack services info shows. Refused while a link has it, or a process that drains.',
    'Asks first; without a terminal it needs --yes.',
  ].join('\n'),
  examples: ['services drop-data main shop_db', 'services drop-data main shared --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const [service, data] = session.args as [string, string]
    const client = await session.connect()
    await confirm(session, `Drop ${data} of the service ${service}, with all that is in it?`, data)
    await client.dropServiceData({ params: { service, data } })
    if (session.isJson) return session.output.json(null)
    session.output.say(`${data} of ${service} is no more`)
  },
}
