import { lookup } from 'node:dns/promises'
import type { Client, Reply } from '../../client/client-types.ts'
import { accountEngine } from '../../domain/aws-places.ts'
import { RackError } from '../../domain/error.ts'
import { readDomain } from '../../domain/domain-name.ts'
import type { CommandSpec } from '../command-spec.ts'
import { confirm } from '../confirm.ts'
import { formatTable } from '../output/table.ts'
import { ago } from '../output/times.ts'
import type { Session } from '../session.ts'
import type { Finding, Visit } from '../visit-domain.ts'

type Domain = Reply<'listDomains'>[number]

const list: CommandSpec = {
  name: 'list',
  summary: 'domains of all apps, or of one with --app',
  examples: ['domains list', 'domains list --app shop --json'],
  needs: 'rack',
  options: [{ flags: '-a, --app <app>', meaning: 'of this app alone' }],
  run: show,
}

const add: CommandSpec = {
  name: 'add',
  arguments: '<domain>',
  summary: 'give an app a domain: it is served at once, without a release',
  description: [
    'Let the DNS of the domain lead to the rack; in an AWS account to the host that is told. A wildcard is any one name below: *.example.com; a name that is given by itself',
    'goes before it. A domain is one app’s in the whole rack. It stays through deploys and rollbacks, until it is removed.',
    'By https it is shown a certificate that was brought for it (rack certs add), else one of the rack’s own authority; in an AWS',
    'account one of the account, once a record in its DNS proves the name: put there by the rack where it can, else told here.',
  ].join('\n'),
  examples: [
    'domains add shop.example.com --app shop',
    'domains add api.example.com --process api',
    "domains add '*.shop.example.com' --app shop",
  ],
  options: [{ flags: '--process <type>', meaning: 'which process it leads to; the only HTTP one, or web' }],
  needs: 'app',
  async run(session) {
    const { args, options, output, isJson } = session
    const name = readDomain(args[0]!)
    const client = await session.connect()
    const params = { app: session.app().name, domain: name }
    const added = await client.addDomain({ params, body: { process: options.text('process') ?? null } })
    if (isJson) output.json(added)
    else {
      output.say(`${added.name} leads to ${added.process ?? 'the main process'} of ${added.app}`)
      if (added.balancer !== undefined)
        output.say(`let its DNS lead to ${added.balancer}: a CNAME, or an alias at the top of a zone`)
      tellCertificate(session, added)
    }
  },
}

/** Where the account of a rack has the certificate, until it is shown. */
function tellCertificate({ output }: Session, { name, certificate }: Domain): void {
  if (!certificate || certificate.state === 'shown') return
  output.say(`no certificate is shown for ${name} yet: ${certificate.reason}`)
  const { record } = certificate
  if (record) output.say(`put this into its DNS: ${record.name} ${record.type} ${record.value}`)
}

const remove: CommandSpec = {
  name: 'remove',
  arguments: '<domain>',
  summary: 'take a domain away from its app',
  description: 'Asks first; without a terminal it needs --yes.',
  examples: ['domains remove shop.example.com', 'domains remove shop.example.com --yes'],
  options: [{ flags: '-y, --yes', meaning: 'do not ask' }],
  needs: 'rack',
  async run(session) {
    const { args, output, isJson } = session
    const name = readDomain(args[0]!)
    const client = await session.connect()
    const found = (await client.listDomains({ query: {} })).find((domain) => domain.name === name)
    if (!found) throw new RackError('not-found', `nobody has the domain ${name}`, { hint: 'rack domains' })
    await confirm(session, `Take ${name} away from ${found.app}?`, name)
    await client.removeDomain({ params: { app: found.app, domain: name } })
    if (isJson) output.json(null)
    else output.say(`${name} leads nowhere now`)
  },
}

const check: CommandSpec = {
  name: 'check',
  arguments: '[domain]',
  summary: 'whether visitors get there: DNS, port, certificate, answer',
  description: [
    'Comes to a domain, or to each of an app or of all, as a visitor does from this machine. Of a wildcard it takes the name',
    'check below it. Ends with 1 when something is in the way, and says what to do.',
  ].join('\n'),
  examples: ['domains check shop.example.com', 'domains check --app shop', 'domains check --json'],
  options: [{ flags: '-a, --app <app>', meaning: 'domains of this app alone' }],
  needs: 'rack',
  async run(session) {
    const { args, options, output, isJson } = session
    const client = await session.connect()
    const app = options.text('app')
    const all = await client.listDomains({ query: app === undefined ? {} : { app } })
    const name = args[0] === undefined ? null : readDomain(args[0])
    const meant = all.filter((domain) => name === null || domain.name === name)
    if (name !== null && meant.length === 0)
      throw new RackError('not-found', `nobody has the domain ${name}`, { hint: 'rack domains' })
    const { visitDomain } = await import('../visit-domain.ts')
    const rack = await whatIsServed(client)
    const within = { lookup: lookUp, signal: AbortSignal.timeout(longestCheckMs) }
    const found: { domain: string; app: string; findings: Finding[] }[] = []
    for (const domain of meant) {
      const findings = await visitDomain(
        { ...rack, name: domain.name.replace('*', 'check'), balancer: domain.balancer ?? null },
        within,
      )
      found.push({ domain: domain.name, app: domain.app, findings })
      if (!isJson) tellFindings(session, domain.name, findings)
    }
    if (isJson) output.json(found)
    else if (meant.length === 0)
      output.say('no app has a domain; give it one with: rack domains add DOMAIN --app APP')
    return found.some(({ findings }) => findings.some(({ problem }) => problem !== null)) ? 1 : 0
  },
}

const longestCheckMs = 600_000

const lookUp = async (name: string): Promise<string[]> =>
  (await lookup(name, { all: true })).map(({ address }) => address)

function tellFindings({ output }: Session, name: string, findings: Finding[]): void {
  const { green, red } = output.colors.data
  output.data(name)
  for (const { what, text, problem } of findings) {
    output.data(`  ${problem ? red('bad ') : green('good')} ${what.padEnd(11)} ${text}`)
    if (problem) output.data(`       → ${problem.hint}`)
  }
}

/** Where visitors come in, and by what the rack is known; who may not list certificates knows its authority alone. */
async function whatIsServed(client: Client): Promise<Omit<Visit, 'name' | 'balancer'>> {
  const [rack, authority] = await Promise.all([client.getRack(), client.getAuthority()])
  const isInAccount = rack.engine.name === accountEngine
  const kept = isInAccount ? null : await keptCertificates(client)
  return {
    isInAccount,
    http: Number(new URL(rack.http).port || 80),
    https: rack.https === null ? null : Number(new URL(rack.https).port || 443),
    authority: authority.certificate,
    fingerprints: kept?.map(({ fingerprint }) => fingerprint) ?? null,
  }
}

/** Null for who may not list them. */
async function keptCertificates(client: Client): Promise<Reply<'listCertificates'> | null> {
  return await client.listCertificates().catch((error: unknown) => {
    if (error instanceof RackError && error.code === 'forbidden') return null
    throw error
  })
}

/** `rack domains`. */
export const domains: CommandSpec = {
  name: 'domains',
  summary: 'names of your own, by which apps are reached',
  examples: ['domains', 'domains add shop.example.com --app shop'],
  needs: 'rack',
  commands: [list, add, remove, check],
  options: [{ flags: '-a, --app <app>', meaning: 'of this app alone' }],
  run: show,
}

async function show(session: Session): Promise<void> {
  const { connect, options, output, isJson } = session
  const app = options.text('app')
  const found = await (await connect()).listDomains({ query: app === undefined ? {} : { app } })
  if (isJson) return output.json(found)
  if (found.length === 0)
    return output.say('no app has a domain; give it one with: rack domains add DOMAIN --app APP')
  const hasBalancer = found.some(({ balancer }) => balancer !== undefined)
  const columns = [
    { heading: 'DOMAIN', value: ({ name }: Domain) => name },
    { heading: 'APP', value: (domain: Domain) => domain.app },
    { heading: 'PROCESS', value: ({ process }: Domain) => process ?? '(main)' },
    ...(hasBalancer ? [{ heading: 'DNS', value: ({ balancer = '' }: Domain) => balancer }] : []),
    { heading: 'SINCE', value: ({ since }: Domain) => ago(since) },
  ]
  output.data(formatTable(columns, found))
  for (const domain of found) tellCertificate(session, domain)
}
