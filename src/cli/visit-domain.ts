import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import { DeadlineError, withDeadline } from '../lib/deadline.ts'
import { tcpProblem, tcpReason } from '../lib/tcp-answers.ts'

/** Addresses of a name, as the system of the caller finds them. @throws with the code of the lookup */
export type Lookup = (name: string) => Promise<string[]>

/** A domain, where the rack says that it serves, and by what it is known there. */
export interface Visit {
  name: string
  /** Whether the rack is in an account, which has the certificates. */
  isInAccount: boolean
  /** The host of the load balancer of an account to which its DNS has to lead; null on a machine, and where the rack leads it. */
  balancer: string | null
  /** Ports for visitors; `https` is null where the rack serves none. */
  http: number
  https: number | null
  /** PEM of the rack's own authority. */
  authority: string
  /** SHA-256 of the certificates that are shown; null where the caller may not know, or an account has them. */
  fingerprints: string[] | null
}

/** One thing that a visitor needs; `problem` is null where it is good. */
export interface Finding {
  what: 'dns' | 'port' | 'certificate' | 'answer'
  text: string
  problem: { hint: string } | null
}

interface Within {
  lookup: Lookup
  signal: AbortSignal
}

const deadlineMs = 10_000
/** What stands before a rack, such as a network of caches, may have many. */
const mostAddresses = 8

/** Comes to a domain as a visitor does, from this machine: each step as far as the one before leads. */
export async function visitDomain(visit: Visit, within: Within): Promise<Finding[]> {
  const { http, https } = visit
  const { addresses, finding } = await findAddresses(visit, within)
  if (addresses.length === 0) return [finding]
  const port = https ?? http
  const reached = await Promise.all(
    addresses.map(async (host) => await findPort(visit, { host, port }, within)),
  )
  const first = addresses.find((_, index) => reached[index]!.problem === null)
  if (first === undefined) return [finding, ...reached]
  const certificate =
    https === null ? [] : [await findCertificate(visit, { host: first, port: https }, within)]
  return [finding, ...reached, ...certificate, await findAnswer(visit, { host: first, port }, within)]
}

async function findAddresses({ name, balancer }: Visit, { lookup }: Within) {
  const problem = { hint: dnsHint(name, balancer) }
  const good = (text: string): Finding => ({ what: 'dns', text, problem: null })
  const bad = (text: string): Finding => ({ ...good(text), problem })
  try {
    const all = await lookup(name)
    const addresses = all.slice(0, mostAddresses)
    const text = addresses.join(', ')
    if (addresses.length === 0) return { addresses, finding: bad('it has no address') }
    if (await leadsThere(all, balancer, lookup)) return { addresses, finding: good(text) }
    return { addresses, finding: bad(`${text}: none is of ${balancer}`) }
  } catch (error) {
    return { addresses: [], finding: bad(tcpReason(error as NodeJS.ErrnoException)) }
  }
}

/** True also where nobody can say: a load balancer whose host is not found. */
async function leadsThere(addresses: string[], balancer: string | null, lookup: Lookup): Promise<boolean> {
  if (balancer === null) return true
  const own = await lookup(balancer).catch(() => addresses)
  return addresses.some((address) => own.includes(address))
}

function dnsHint(name: string, balancer: string | null): string {
  const records =
    balancer === null
      ? 'the rack: an A record with its address, and AAAA where it has one'
      : `${balancer}: a CNAME, or an alias at the top of a zone`
  return `Let the DNS of ${name} lead to ${records}. A new record may take an hour.`
}

async function findPort(
  { isInAccount }: Visit,
  { host, port }: { host: string; port: number },
  { signal }: Within,
): Promise<Finding> {
  const reason = await tcpProblem({ host, port }, { deadlineMs, signal })
  const place = `port ${port} of ${host}`
  if (reason === null) return { what: 'port', text: `${place} takes connections`, problem: null }
  const hint = isInAccount
    ? `Is ${host} a load balancer of the rack, and is that there? rack doctor`
    : `Is ${host} the rack's machine, and does its firewall let port ${port} in?`
  return { what: 'port', text: `${place}: ${reason}`, problem: { hint } }
}

async function findCertificate(
  visit: Visit,
  place: { host: string; port: number },
  { signal }: Within,
): Promise<Finding> {
  const { name } = visit
  // Looked at, whatever it is: what is wrong with it is the answer.
  const socket = connect({ ...place, servername: name, rejectUnauthorized: false })
  try {
    const what = `TLS of ${name}`
    await withDeadline({ deadlineMs, what, signal }, (inner) =>
      once(socket, 'secureConnect', { signal: inner }),
    )
    return judge(visit, socket)
  } catch (error) {
    signal.throwIfAborted()
    const text =
      error instanceof DeadlineError
        ? `no TLS within ${deadlineMs / 1000} s`
        : tcpReason(error as NodeJS.ErrnoException)
    return {
      what: 'certificate',
      text,
      problem: { hint: 'Is that the rack? rack status says where it serves https.' },
    }
  } finally {
    socket.on('error', () => undefined)
    socket.destroy()
  }
}

function judge(visit: Visit, socket: TLSSocket): Finding {
  const { name, isInAccount, authority, fingerprints } = visit
  const hint = isInAccount ? accountHint : certsHint(name)
  const shown = socket.getPeerX509Certificate()!
  const until = `until ${shown.validTo}`
  const found = (text: string, hint: string | null): Finding => ({
    what: 'certificate',
    text,
    problem: hint === null ? null : { hint },
  })
  const isOfRack = shown.verify(new X509Certificate(authority).publicKey)
  if (!isOfRack && fingerprints !== null && !fingerprints.includes(shown.fingerprint256)) {
    return found(
      `another one than the rack's is shown (${shown.subject.split('\n').at(-1)})`,
      `The DNS leads elsewhere, or something that ends TLS stands before the rack.`,
    )
  }
  if (shown.checkHost(name) === undefined) return found(`it does not name ${name}`, hint)
  if (isOfRack) {
    return found(`of the rack's own authority, ${until}: browsers do not know it`, hint)
  }
  if (!socket.authorized) {
    return found(`not believed here: ${String(socket.authorizationError)}`, hint)
  }
  return found(`believed, ${until}`, null)
}

const accountHint = 'See what the account waits for before it shows one: rack domains'
const certsHint = (name: string) =>
  `Have one of an authority: rack certs acme --directory letsencrypt; or bring one for ${name}: rack certs add FILE KEY`

async function findAnswer(
  { name, https }: Visit,
  { host, port }: { host: string; port: number },
  { signal }: Within,
): Promise<Finding> {
  const send = https === null ? httpRequest : httpsRequest
  const shown = [80, 443].includes(port) ? name : `${name}:${port}`
  try {
    const status = await withDeadline({ deadlineMs, what: `an answer of ${name}`, signal }, async (inner) => {
      const tls = https === null ? {} : { servername: name, rejectUnauthorized: false }
      const asked = send({ host, port, ...tls, signal: inner, headers: { host: shown }, agent: false })
      const [response] = (await once(asked.end(), 'response', { signal: inner })) as [
        { statusCode: number; destroy(): void },
      ]
      response.destroy()
      return response.statusCode
    })
    const text = `GET / is answered ${status}`
    const isGood = status < 500
    return {
      what: 'answer',
      text,
      problem: isGood ? null : { hint: 'See why: rack ps; rack logs --since 10m' },
    }
  } catch (error) {
    signal.throwIfAborted()
    const text =
      error instanceof DeadlineError
        ? `no answer within ${deadlineMs / 1000} s`
        : tcpReason(error as NodeJS.ErrnoException)
    return { what: 'answer', text, problem: { hint: 'See why: rack ps; rack logs --since 10m' } }
  }
}
