import { X509Certificate } from 'node:crypto'
import { chmod, mkdir, readdir, readFile, rm } from 'node:fs/promises'
import {
  certificateFor,
  type CertificatePair,
  type CertificateSource,
  type KeptCertificate,
} from '../../domain/certificate.ts'
import type { ChallengeSource } from '../../domain/certificate-order.ts'
import { writeFileAtomically } from '../../lib/atomic-file.ts'
import { readTextIfThere } from '../../lib/files.ts'
import { shortHash } from '../../lib/short-hash.ts'
import { namesOf, tlsNamesOf } from '../domains.ts'
import { renderMap } from '../map-changes.ts'
import type { RouteTable } from '../route-table.ts'

/** What the router shows to those who come by TLS: files on disk, of which a running HAProxy is told by difference. */
export interface Shown {
  /** The file that is shown where no other is: to those who name no host, or one that nobody has. */
  defaultPath: string
  listPath: string
  /** Host name to the file that is shown for it. */
  files: ReadonlyMap<string, string>
  redirectsPath: string
  /** Host names whose visitors by http are sent to https. */
  redirects: ReadonlyMap<string, string>
  challengesPath: string
  /** Paths by which an authority asks, to what it is answered. */
  challenges: ReadonlyMap<string, string>
}

export interface ShownCertificates {
  /**
   * Writes what is to be shown for the hosts of a table. When it settles the files are on disk, whole; a name that has no
   * certificate yet has got one of the rack's own authority. What was shown before is there yet.
   */
  write(table: Pick<RouteTable, 'apps'>): Promise<Shown>
  /** Removes all that is not shown, once no configuration on disk names it: a router is revived from that. */
  removeOthers(shown: Shown): Promise<void>
}

interface Parts {
  /** The router's own directory. */
  directory: string
  source: CertificateSource
  challenges: ChallengeSource
  /** The rack's own name, which is no app's. */
  ownHost?: string | undefined
  now: () => Date
}

/** Of the rack's own authority, by host name. */
interface Own {
  path: string
  /** From then on another one is made. */
  renewFrom: number
}

/** Where an authority asks whether a host is the rack's: RFC 8555, 8.3. */
export const challengePath = '/.well-known/acme-challenge/'
/** Nobody calls a host so: RFC 2606. */
const defaultName = 'default.invalid'

export function createShownCertificates({
  directory,
  source,
  challenges,
  ownHost,
  now,
}: Parts): ShownCertificates {
  const folder = `${directory}/certificates`
  let own: Map<string, Own> | null = null
  const ownFor = async (host: string, known: Map<string, Own>): Promise<string> => {
    const found = known.get(host)
    if (found && now().getTime() < found.renewFrom) return found.path
    const pair = await source.issue(host)
    const path = await writePair(folder, `own-${await source.authorityId()}`, pair)
    known.set(host, { path, renewFrom: renewalOf(pair.chain) })
    return path
  }
  return {
    async write(table) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await chmod(folder, 0o700)
      own ??= await readOwn(folder, `own-${await source.authorityId()}-`)
      const defaultPath = await ownFor(defaultName, own)
      const files = new Map<string, string>()
      const redirects = new Map<string, string>()
      const written = new Map<KeptCertificate, string>()
      for (const { host, redirect } of hostsOf(table, ownHost)) {
        const kept = certificateFor(host, source.kept(), now())
        if (kept && !written.has(kept)) written.set(kept, await writePair(folder, kept.id, kept))
        files.set(host, (kept && written.get(kept)) ?? (await ownFor(host, own)))
        if (redirect === 'always' || (kept && redirect === 'brought')) redirects.set(host, 'https')
      }
      return await writeLists(directory, { defaultPath, files, redirects, challenges: answersOf(challenges) })
    },
    async removeOthers({ defaultPath, files }) {
      const named = new Set([defaultPath, ...files.values()])
      for (const name of await readdir(folder)) {
        const path = `${folder}/${name}`
        if (!named.has(path)) await rm(path, { force: true })
      }
      for (const [host, { path }] of own ?? []) if (!named.has(path)) own?.delete(host)
    },
  }
}

/** What HAProxy reads at its start: which file is whose, who is sent to https, and what authorities are answered. */
async function writeLists(
  directory: string,
  what: Pick<Shown, 'defaultPath' | 'files' | 'redirects' | 'challenges'>,
): Promise<Shown> {
  const paths = {
    listPath: `${directory}/certificates.list`,
    redirectsPath: `${directory}/redirects.map`,
    challengesPath: `${directory}/challenges.map`,
  }
  await writeIfOther(paths.listPath, renderList(what.files))
  await writeIfOther(paths.redirectsPath, renderMap(what.redirects))
  await writeIfOther(paths.challengesPath, renderMap(what.challenges))
  return { ...what, ...paths }
}

function answersOf(source: ChallengeSource): Map<string, string> {
  return new Map(source.open().map(({ token, answer }) => [`${challengePath}${token}`, answer]))
}

/** A file for each host name: HAProxy reads it at its start, and is told of changes. */
function renderList(files: ReadonlyMap<string, string>): string {
  return Array.from(files, ([host, path]) => `${path} ${host}\n`).join('')
}

interface ShownHost {
  host: string
  /** When visitors by http are sent to https: once a certificate was brought, at any rate, or never. */
  redirect: 'brought' | 'always' | null
}

function hostsOf(table: Pick<RouteTable, 'apps'>, ownHost: string | undefined): ShownHost[] {
  const web = namesOf(table).map(({ name, route }): ShownHost => {
    const usual = route.backend.keepsHttp === true ? null : 'brought'
    return { host: name, redirect: route.isTlsOnly ? 'always' : usual }
  })
  const raw = tlsNamesOf(table).map(({ name }): ShownHost => ({ host: name, redirect: null }))
  const own: ShownHost[] = ownHost === undefined ? [] : [{ host: ownHost, redirect: null }]
  return [...web, ...raw, ...own].sort((a, b) => (a.host < b.host ? -1 : 1))
}

/** Its name says what is in it, so that one that is there is whole and right. */
async function writePair(folder: string, prefix: string, { chain, key }: CertificatePair): Promise<string> {
  const text = `${chain}${key}`.replace(/\n{2,}/g, '\n')
  const path = `${folder}/${prefix}-${shortHash(text)}.pem`
  if ((await readTextIfThere(path)) === null) await writeFileAtomically(path, text, { mode: 0o600 })
  return path
}

async function writeIfOther(path: string, text: string): Promise<void> {
  if ((await readTextIfThere(path)) !== text) await writeFileAtomically(path, text, { mode: 0o600 })
}

/** Those that an earlier daemon has had made, of the same authority. */
async function readOwn(folder: string, prefix: string): Promise<Map<string, Own>> {
  const own = new Map<string, Own>()
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.pem')) continue
    const path = `${folder}/${name}`
    const text = await readFile(path, 'utf8')
    const host = /DNS:([^,\s]+)/.exec(new X509Certificate(text).subjectAltName ?? '')?.[1]
    const renewFrom = renewalOf(text)
    // Of two the later one: the daemon ended before it had removed the other.
    if (host !== undefined && renewFrom > (own.get(host)?.renewFrom ?? 0)) own.set(host, { path, renewFrom })
  }
  return own
}

/** When two thirds of its life are over. */
function renewalOf(chain: string): number {
  const { validFrom, validTo } = new X509Certificate(chain)
  const from = Date.parse(validFrom)
  return from + ((Date.parse(validTo) - from) * 2) / 3
}
