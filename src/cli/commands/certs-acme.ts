import type { Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { readTextFile } from '../read-text-file.ts'
import type { Session } from '../session.ts'

type Acme = Reply<'getAcme'>
type Order = Acme['orders'][number]

/** `rack certs acme`. */
export const acme: CommandSpec = {
  name: 'acme',
  summary: 'the authority that gives the rack certificates by itself, such as Let’s Encrypt',
  description: [
    'With a directory the rack has an account made there, and from then on certificates for every public domain that has no',
    'other one; it renews them in time. Whoever chooses an authority agrees with its terms, which are told. The authority asks',
    'by http, on port 80 of the domain; for wildcards it asks the DNS, into which a program of yours puts the answer: rack start',
    '--acme-dns-hook PROGRAM. Without options it says what is so. --off asks none any more; certificates stay while they hold.',
  ].join('\n'),
  examples: [
    'certs acme',
    'certs acme --directory letsencrypt --email me@example.com',
    'certs acme --directory https://ca.example.com/acme/directory --ca ca.pem',
    'certs acme --off',
  ],
  options: [
    { flags: '--directory <url>', meaning: 'letsencrypt, letsencrypt-staging, or the URL of a directory' },
    { flags: '--email <address>', meaning: 'where the authority writes to; an empty one takes it away' },
    { flags: '--ca <file>', meaning: 'PEM: who signs for the directory of a private authority' },
    { flags: '--off', meaning: 'ask none' },
  ],
  needs: 'rack',
  async run(session) {
    const { options, output, isJson } = session
    const change = await readChange(session)
    const client = await session.connect()
    const now = change ? await client.changeAcme({ body: change }) : await client.getAcme()
    if (isJson) return output.json(now)
    describe(session, now)
    if (change === null) return
    if (options.flag('off')) return output.say('no authority is asked; certificates stay while they hold')
    output.say(
      `domains without another certificate get one from now on${now.terms ? `; the terms: ${now.terms}` : ''}`,
    )
  },
}

/** `rack certs renew`. */
export const renew: CommandSpec = {
  name: 'renew',
  arguments: '<certificate>',
  summary: 'have another certificate of the authority now, by the id of one or by a host',
  description: [
    'The rack renews by itself, in the last third of a certificate’s life; this is for when something was mended, and for',
    'one that must be replaced. Waits for the authority. Nobody is cut off, and what is shown stays until the new one is there.',
  ].join('\n'),
  examples: ['certs renew shop.example.com', 'certs renew CABCDEFGHIJ'],
  needs: 'rack',
  async run({ args, connect, output, isJson }) {
    const client = await connect()
    const renewed = await client.renewCertificate({ params: { certificate: args[0]! } })
    if (isJson) return output.json(renewed)
    output.data(renewed.id)
    output.say(`shown for ${renewed.names.join(', ')} until ${renewed.until.slice(0, 10)}`)
  },
}

/** Null where nothing is to be changed. */
async function readChange({ options, world }: Session) {
  const [directory, email, ca] = ['directory', 'email', 'ca'].map((name) => options.text(name))
  const isChanged = [directory, email, ca].some((each) => each !== undefined)
  if (options.flag('off')) {
    if (!isChanged) return { directory: null }
    throw new RackError('usage', '--off stands alone', { hint: 'rack certs acme --off' })
  }
  if (!isChanged) return null
  return {
    ...(directory !== undefined && { directory }),
    ...(email !== undefined && { email: email === '' ? null : email }),
    ...(ca !== undefined && { ca: await readTextFile(world, ca) }),
  }
}

function describe({ output }: Session, { directory, email, orders }: Acme): void {
  if (directory === null) {
    output.say('no authority is asked for certificates. Ask one: rack certs acme --directory letsencrypt')
    return
  }
  output.data(
    formatFacts([
      ['directory', directory],
      ['email', email],
    ]),
  )
  if (orders.length === 0) return
  const columns = [
    { heading: 'NAME', value: ({ name }: Order) => name },
    { heading: 'STATUS', value: ({ status }: Order) => status },
    { heading: 'FAILURES', value: ({ failures }: Order) => String(failures) },
    { heading: 'NEXT', value: ({ next }: Order) => next },
  ]
  output.data(`\n${formatTable(columns, orders)}`)
  tellFailures(output, orders)
}

/** What could not be had of the authority, and what to do. */
export function tellFailures({ say }: Session['output'], orders: readonly Order[]): void {
  for (const { name, failed, next } of orders) {
    if (!failed) continue
    say(`no new certificate for ${name}: ${failed.reason}`)
    say(`  → ${failed.hint} (tried again at ${next})`)
  }
}
