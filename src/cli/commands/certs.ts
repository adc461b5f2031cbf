import type { Reply } from '../../client/client-types.ts'
import { covers } from '../../domain/certificate.ts'
import { RackError } from '../../domain/error.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { acme, renew, tellFailures } from './certs-acme.ts'
import { formatFacts, formatTable } from '../output/table.ts'
import { readTextFile } from '../read-text-file.ts'
import type { Session } from '../session.ts'

type Certificate = Reply<'listCertificates'>[number]

const list: CommandSpec = {
  name: 'list',
  summary: 'certificates, who has them renewed, and the authority that signs for all other names',
  examples: ['certs list', 'certs list --json'],
  needs: 'rack',
  run: show,
}

const info: CommandSpec = {
  name: 'info',
  arguments: '<certificate>',
  summary: 'one of them, by its id or by a host name for which it is shown',
  examples: ['certs info CABCDEFGHIJ', 'certs info shop.example.com'],
  needs: 'rack',
  async run(session) {
    const client = await session.connect()
    const found = await client.getCertificate({ params: { certificate: session.args[0]! } })
    const failures = (await ordersOf(client)).filter(({ name }) => found.names.includes(name))
    if (session.isJson) return session.output.json(found)
    session.output.data(
      formatFacts([
        ['certificate', found.id],
        ['names', found.names.join(', ')],
        ['issuer', found.issuer],
        ['sha-256', found.fingerprint],
        ['holds', `${found.from} to ${found.until}`],
        ['added', found.since],
        [
          'renewed',
          found.authority === null ? 'by whoever has brought it' : `by the rack, of ${found.authority}`,
        ],
      ]),
    )
    tellFailures(session.output, failures)
  },
}

const add: CommandSpec = {
  name: 'add',
  arguments: '<certificate> <key>',
  summary: 'keep a certificate with its key; it is shown at once for the names in it',
  description: [
    'Two PEM files: the certificate with those that signed it, in any order, and the private key without a passphrase. Looked',
    'at first: that they belong together, hold now, and lead to an authority. Nobody is cut off. Apps under a name of it are',
    'reached by https alone from then on: http sends visitors there, unless the label rack.https.redirect is false.',
    'The key travels to the rack, which keeps it encrypted. - is standard input, for one of the two.',
  ].join('\n'),
  examples: ['certs add fullchain.pem privkey.pem', 'certs add shop.pem - < shop.key'],
  needs: 'rack',
  async run(session) {
    const { args, world, output, isJson } = session
    const certificate = await readTextFile(world, args[0]!)
    const key = await readTextFile(world, args[1]!)
    const client = await session.connect()
    const added = await client.addCertificate({ body: { certificate, key } })
    if (isJson) return output.json(added)
    output.data(added.id)
    output.say(`shown for ${added.names.join(', ')} until ${dayOf(added.until)}`)
    const [{ domain }, domains] = await Promise.all([client.getRack(), client.listDomains()])
    const known = domains.map(({ name }) => name)
    if (added.names.some((name) => leadsHere(name, { domain, domains: known }))) return
    output.say(output.colors.say.yellow('no app is reached by a name of it yet'))
    output.say(`  rack domains add '${added.names[0]}' --app APP`)
  },
}

/** Whether the rack itself or an app is reached by a name, or by one that it stands for. @param rack its domain, and those of apps */
function leadsHere(name: string, rack: { domain: string; domains: readonly string[] }): boolean {
  if (name === rack.domain || name.endsWith(`.${rack.domain}`)) return true
  return rack.domains.some((domain) => covers([name], domain) || covers([domain], name))
}

const remove: CommandSpec = {
  name: 'remove',
  arguments: '<certificate>',
  summary: "forget one: its names are shown what the rack's own authority signs",
  description: 'Asks first; without a terminal it needs --yes.',
  examples: ['certs remove CABCDEFGHIJ', 'certs remove CABCDEFGHIJ --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const { args, output, isJson } = session
    const client = await session.connect()
    const found = await client.getCertificate({ params: { certificate: args[0]! } })
    await confirm(session, `Forget the certificate of ${found.names.join(', ')}?`, found.id)
    await client.removeCertificate({ params: { certificate: found.id } })
    if (isJson) output.json(null)
    else output.say(`${found.id} is forgotten`)
  },
}

const ca: CommandSpec = {
  name: 'ca',
  summary: "the rack's own authority as PEM, for those who shall believe it",
  description: [
    'It signs for *.localhost and for every name without another certificate. Whoever believes it reaches every app by https:',
    'curl --cacert ca.pem. Its key never leaves the rack. Compare the fingerprint, which is told beside it.',
  ].join('\n'),
  examples: ['certs ca > ca.pem', 'certs ca --json'],
  needs: 'rack',
  async run({ connect, output, isJson }) {
    const authority = await (await connect()).getAuthority()
    if (isJson) return output.json(authority)
    output.data(authority.certificate.trimEnd())
    output.say(`SHA-256 ${authority.fingerprint}, until ${dayOf(authority.until)}`)
  },
}

/** `rack certs`. */
export const certs: CommandSpec = {
  name: 'certs',
  summary: 'certificates that the rack shows to those who come by https',
  examples: ['certs', 'certs add fullchain.pem privkey.pem', 'certs ca > ca.pem'],
  needs: 'rack',
  commands: [list, info, add, remove, renew, acme, ca],
  run: show,
}

async function show({ connect, output, isJson }: Session): Promise<void> {
  const client = await connect()
  const found = await client.listCertificates()
  if (isJson) return output.json(found)
  const columns = [
    { heading: 'CERTIFICATE', value: ({ id }: Certificate) => id },
    { heading: 'NAMES', value: ({ names }: Certificate) => names.join(', ') },
    { heading: 'ISSUER', value: ({ issuer }: Certificate) => issuer },
    { heading: 'UNTIL', value: ({ until }: Certificate) => dayOf(until) },
    { heading: 'RENEWED', value: ({ authority }: Certificate) => (authority ? 'by the rack' : 'by hand') },
  ]
  if (found.length > 0) output.data(formatTable(columns, found))
  tellFailures(output, await ordersOf(client))
  const { fingerprint } = await client.getAuthority()
  const rest = found.length > 0 ? 'all other names' : 'all names'
  output.say(`${rest}: the rack's own authority, SHA-256 ${fingerprint} (rack certs ca)`)
}

/** A daemon of an earlier version has none. */
async function ordersOf(client: Awaited<ReturnType<Session['connect']>>) {
  try {
    return (await client.getAcme()).orders
  } catch (error) {
    if (error instanceof RackError && error.code === 'not-found') return []
    throw error
  }
}

const dayOf = (time: string): string => time.slice(0, 10)
