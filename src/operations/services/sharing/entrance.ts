import type { Control } from '../../../domain/control.ts'
import { parameterOf } from '../../../domain/parameter.ts'
import { shareDomain, type KeptShare, type ShareEntrance, type ShareKeys } from '../../../domain/share.ts'
import type { Context } from '../../context.ts'

const dayMs = 24 * 3_600_000
const years = 30
/** Whoever comes with a certificate that was taken back is told so for a while, although nothing is shared any more. */
const toldForMs = 30 * dayMs

/** Whether a share lets its consumer in. */
export function isOpen({ revoked, expires }: KeptShare, now: Date): boolean {
  return revoked === null && !isOver(expires, now)
}

/** Brings the router's entrance to what is shared, and to the rack's parameters. Safe to repeat. */
export async function openEntrance(context: Context, control: Control): Promise<void> {
  // One at a time: a list of before, applied late, would let in whom the newer one refuses.
  await context.turns.run(':shares', control.signal, async () => {
    if (context.engine.features.sharesServices !== true) return
    await context.engine.openEntrance(await entranceOf(context), control)
  })
}

async function entranceOf(context: Context): Promise<ShareEntrance | null> {
  const { store } = context
  const now = context.now()
  const shares = await store.shares.list()
  if (!shares.some((share) => isOpen(share, now) || isTold(share, now))) return null
  const keys = await keysWith(context, shares)
  const [bind, port] = [
    parameterOf('shares.bind', await store.parameters.get('shares.bind')),
    parameterOf('shares.port', await store.parameters.get('shares.port')),
  ]
  return {
    bind: bind.value,
    port: Number(port.value),
    certificate: keys.entrance.certificate + keys.entrance.key,
    authority: keys.authority.certificate,
    revoked: keys.list.text,
  }
}

function isTold({ revoked, expires }: KeptShare, now: Date): boolean {
  return revoked !== null && !isOver(expires, now) && now.getTime() - Date.parse(revoked) < toldForMs
}

function isOver(expires: string | null, now: Date): boolean {
  return expires !== null && Date.parse(expires) <= now.getTime()
}

/** The keys by which other racks come in, made for the first of them. Whoever makes them at once has the same authority. */
export async function shareKeys(context: Context): Promise<ShareKeys> {
  const known = await context.store.shares.keys()
  if (known) return known
  const { createAuthority, issueCertificate, listRevoked } = await certificateTools()
  const from = new Date(context.now().getTime() - dayMs)
  const until = new Date(from.getTime() + years * 365 * dayMs)
  const authority = await context.store.certificates.authority('shares', () =>
    createAuthority({ name: `Rack ${context.rack.name} shares`, from, until }),
  )
  const names = [`*.${shareDomain}`]
  const entrance = await issueCertificate({ authority, names, from, until, usages: ['server'] })
  const keys = { authority, entrance, list: { serials: [], text: listRevoked(authority, []) } }
  await context.store.shares.keepKeys(keys)
  return keys
}

/** With the list of what was taken back as it is now; the same list is the same bytes. */
async function keysWith(context: Context, shares: KeptShare[]): Promise<ShareKeys> {
  const keys = await shareKeys(context)
  const taken = shares.filter(({ revoked }) => revoked !== null)
  const serials = taken.map(({ serial }) => serial)
  if (JSON.stringify(serials) === JSON.stringify(keys.list.serials)) return keys
  const { listRevoked } = await certificateTools()
  const entries = taken.map((share) => ({
    serial: share.serial,
    since: new Date(share.revoked ?? share.created),
  }))
  const list = { serials, text: listRevoked(keys.authority, entries) }
  await context.store.shares.keepKeys({ ...keys, list })
  return { ...keys, list }
}

/** Loaded when something is shared: it takes as long as the rest of a start. */
export async function certificateTools() {
  const [issue, revoke] = await Promise.all([
    import('../../../lib/x509/issue.ts'),
    import('../../../lib/x509/revoke.ts'),
  ])
  return { ...issue, ...revoke }
}
