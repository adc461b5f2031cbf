import type { Client, Reply } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { RouterLoad } from '../../domain/router-load.ts'
import { examine } from '../../host/doctor.ts'
import type { Finding } from '../../host/finding.ts'
import { isOnMachine, type Installation, type MachineInstallation } from '../../host/installation.ts'
import type { CommandSpec } from '../command-spec.ts'
import {
  describeEnd,
  isDueSoon,
  isUrgent,
  leftOf,
  nextEnds,
  type CertificateEnd,
} from '../certificate-ends.ts'
import { findInstallation } from '../find-installation.ts'
import { insideRackOf, type InsideRack } from '../inside-rack.ts'
import { connectTo, tokenOf } from '../machine-status.ts'
import { describeTrouble, type Lack } from '../output/lacks.ts'
import type { Session } from '../session.ts'

/** Where it is, those who have many are refused more: what leaves is replaced at once. */
const nearlyCrowded = 0.9

/** `rack doctor`. */
export const doctor: CommandSpec = {
  name: 'doctor',
  summary: 'what is wrong with this machine and its rack, and what to type',
  description: 'Changes nothing. The exit code is 1 when something is bad.',
  examples: ['doctor', 'doctor --rack demo --json'],
  options: [{ flags: '--dir <directory>', meaning: 'where the rack lies' }],
  needs: 'rack',
  async run(session) {
    const { output, isJson } = session
    const inside = insideRackOf(session)
    const findings = inside ? await examineInAccount(session, inside) : await examineHere(session)
    if (isJson) output.json(findings)
    else for (const finding of findings) output.data(describe(session, finding))
    return findings.some(({ status }) => status === 'bad') ? 1 : 0
  },
}

async function examineHere(session: Session): Promise<Finding[]> {
  const installation = await installationOrNull(session)
  const findings = await examine(installation)
  if (!installation) return findings
  const client = await clientOf(session, installation)
  if (isOnMachine(installation)) findings.push(...(await examineLoad(client, installation)))
  else {
    const { useDaemonCredentials } = await import('../account/own-account.ts')
    await useDaemonCredentials(installation.directory, session.world)
    findings.push(...(await (await session.world.accountDoctor())(installation)))
  }
  findings.push(...(await examineApps(client)), ...(await examineBackups(client)))
  if (isOnMachine(installation)) findings.push(...(await examineCertificates(client, installation)))
  return findings
}

/** Of a rack of which nothing is on this machine. */
async function examineInAccount(session: Session, inside: InsideRack): Promise<Finding[]> {
  const { examineInside } = await import('../account/examine-inside.ts')
  const client = await session.connect()
  const findings = await examineInside(session, inside, client)
  return [...findings, ...(await examineApps(client)), ...(await examineBackups(client))]
}

/** Null where this command line has no token for it. */
async function clientOf({ world }: Session, installation: Installation): Promise<Client | null> {
  const token = tokenOf(world.env, installation)
  return token === null ? null : await connectTo(installation, token)
}

/** Said while so many connections are open that who has many is refused more. */
async function examineLoad(client: Client | null, installation: MachineInstallation): Promise<Finding[]> {
  if (client === null) return []
  try {
    const { router } = await client.getRack()
    return router.load ? loadFindings(router.load, installation) : []
  } catch (error) {
    if (error instanceof RackError) return []
    throw error
  }
}

export function loadFindings(
  { connections, shares }: RouterLoad,
  { http, https }: Pick<MachineInstallation, 'http' | 'https'>,
): Finding[] {
  const { crowded, smallSource, smallApp } = shares
  if (connections < crowded * nearlyCrowded) return []
  const ports = [http.port, ...(https ? [https.port] : [])].map((port) => `sport = :${port}`)
  return [
    {
      check: 'router',
      status: 'warning',
      detail: `${connections} of ${shares.connections} connections are open: from ${crowded} on an address gets no more than ${smallSource} of them, and an app ${smallApp}`,
      fix: `See whose they are: ss -Htn '( ${ports.join(' or ')} )' | awk '{print $5}' | sed 's/:[0-9]*$//' | sort | uniq -c | sort -n | tail`,
    },
  ]
}

/** What apps lack; nothing where the rack does not answer, which is told already. */
async function examineApps(client: Client | null): Promise<Finding[]> {
  if (client === null) return []
  try {
    const apps = await client.listApps()
    const lacking = apps.flatMap(({ name, lacks }) => lacks.map((lack) => lackFinding(name, lack)))
    if (lacking.length > 0) return lacking
    return [{ check: 'apps', status: 'good', detail: 'all of their copies are there' }]
  } catch (error) {
    if (error instanceof RackError) return []
    throw error
  }
}

/** Backups that were due by themselves and are not there. */
async function examineBackups(client: Client | null): Promise<Finding[]> {
  if (client === null) return []
  try {
    const services = await client.listServices()
    return services.flatMap(({ name, backupFailed }): Finding[] => {
      if (!backupFailed) return []
      const detail = `${name} is not backed up since ${backupFailed.time}: ${backupFailed.reason}`
      return [{ check: 'backups', status: 'bad', detail, fix: `rack services backup ${name}` }]
    })
  } catch (error) {
    if (error instanceof RackError) return []
    throw error
  }
}

/** Certificates that end soon, whoever should renew them; else the next one to end. */
async function examineCertificates(
  client: Client | null,
  installation: MachineInstallation,
): Promise<Finding[]> {
  if (client === null || !installation.https) return []
  try {
    const found = await client.listCertificates()
    const { orders } = await client.getAcme()
    const failed = orders.flatMap((order) => orderFindings(order, found))
    const isTold = ({ names }: CertificateEnd) =>
      orders.some((order) => order.failed !== null && names.includes(order.name))
    const ends = nextEnds(found)
    const due = ends.filter((end) => isDueSoon(end) && !isTold(end)).map(endFinding)
    if (failed.length > 0 || due.length > 0) return [...failed, ...due]
    const [next] = ends
    const none = "none but those that the rack's own authority signs"
    return [{ check: 'certificate', status: 'good', detail: next ? `next: ${describeEnd(next)}` : none }]
  } catch (error) {
    if (error instanceof RackError) return []
    throw error
  }
}

/** Of one that ends soon: whoever has brought it, or the rack, should have renewed it by now. */
function endFinding(end: CertificateEnd): Finding {
  const { id, names, until, authority } = end
  const when = leftOf(end) > 0 ? 'expires' : 'has expired'
  const fix =
    authority === null
      ? `rack certs add CERTIFICATE.pem KEY.pem, then rack certs remove ${id}`
      : `rack certs renew ${names[0] ?? id}`
  return {
    check: 'certificate',
    status: leftOf(end) > 0 ? 'warning' : 'bad',
    detail: `${id} of ${names.join(', ')} ${when} at ${until}`,
    fix,
  }
}

/** What an authority has refused: bad where nothing, or hardly anything, is left to be shown. */
function orderFindings(
  { name, failed, next }: Reply<'getAcme'>['orders'][number],
  certificates: Reply<'listCertificates'>,
): Finding[] {
  if (!failed) return []
  const own = certificates.filter(({ names }) => names.includes(name))
  const last = own.toSorted((a, b) => leftOf(b) - leftOf(a))[0]
  const isGood = last !== undefined && !isUrgent(last)
  const shown = last === undefined ? 'it has none' : `it has one until ${last.until}`
  return [
    {
      check: 'certificate',
      status: isGood ? 'warning' : 'bad',
      detail: `no new one for ${name}, ${shown}: ${failed.reason} (tried again at ${next})`,
      fix: failed.hint,
    },
  ]
}

function lackFinding(app: string, lack: Lack): Finding {
  const fix = lack.trouble?.hint ?? `rack ps --app ${app}; rack logs --app ${app} --type ${lack.type}`
  return { check: `app ${app}`, status: 'bad', detail: describeTrouble(lack), fix }
}

function describe({ output }: Session, { check, status, detail, fix }: Finding): string {
  const { green, yellow, red } = output.colors.data
  const mark = { good: green('ok  '), warning: yellow('warn'), bad: red('BAD ') }[status]
  const line = `${mark} ${check.padEnd(13)} ${detail}`
  return fix ? `${line}\n                   → ${fix}` : line
}

/** A machine can be looked at before it has a rack. */
async function installationOrNull(session: Session): Promise<Installation | null> {
  try {
    return await findInstallation(session)
  } catch (error) {
    const isNamed = session.options.text('rack') ?? session.options.text('dir')
    if (error instanceof RackError && error.code === 'not-found' && isNamed === undefined) return null
    throw error
  }
}
