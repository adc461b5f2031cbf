import type { WebBalancer } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import { ownerKey, type Owner } from '../../../domain/owner.ts'
import { findGenerations } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { awaitChange } from '../inside/records.ts'
import { findWebs } from '../routes/rules.ts'
import { homeOf, placesOfWebs, type HomeSigns } from './app-balancer.ts'
import { bringPublicNames, publicNamesOf } from './public-names.ts'
import { findWebBalancers } from './web-balancers.ts'

/** By owner, the balancer of the web that it is behind; the rack's own of who is behind none. */
export type Homes = (owner: Owner) => WebBalancer | null

/**
 * Has names below the rack's domain lead to where apps are, and none to where they are no more; says where each is. What
 * keeps a name from it is trouble, and keeps no other one. Safe to repeat.
 */
export async function bringHomes(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<Homes> {
  const balancers = await findWebBalancers(parts, control)
  let signs: HomeSigns | null = balancers.length === 1 ? { generations: [], places: [], webs: [] } : null
  const homes: Homes = (owner) => {
    const number = homeOf(signs!, owner) ?? 1
    return balancers.find((each) => each.number === number) ?? null
  }
  if (signs) return homes
  const wantedOf = async () => {
    signs = await findSigns(parts, control)
    const all = [...signs.generations, ...signs.places].map(({ owner }) => [ownerKey(owner), owner] as const)
    const wanted = Array.from(new Map(all).values(), (owner) => namesOf(parts, owner, homes(owner)))
    return { wanted: new Map(wanted.flat()), balancers, isOurs: () => true }
  }
  try {
    await bringPublicNames(parts, wantedOf, control)
  } catch (error) {
    control.signal.throwIfAborted()
    // Where the zone cannot be read, apps are where they are.
    signs ??= await findSigns(parts, control)
    parts.onTrouble(error)
  }
  return homes
}

async function findSigns(parts: AwsParts, control: Pick<Control, 'signal'>): Promise<HomeSigns> {
  const webs = await findWebs(parts, control)
  const places = await placesOfWebs(parts, webs, control)
  return { webs, places, generations: await findGenerations(parts, {}, control) }
}

/** Those that a record leads to a further balancer. */
function namesOf(parts: AwsParts, owner: Owner, balancer: WebBalancer | null): [string, string][] {
  if (balancer === null || balancer.number === 1) return []
  return publicNamesOf(parts, owner).map((name) => [name, balancer.host])
}

/**
 * Has the names of an owner lead to its balancer, or nowhere of their own without one, and no others of it; settles when
 * that is known everywhere.
 */
export async function leadNames(
  parts: AwsParts,
  { owner, balancer }: { owner: Owner; balancer: WebBalancer | null },
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const balancers = await findWebBalancers(parts, control)
  // Of an owner that goes the records go too whose balancer somebody has deleted.
  if (balancers.length === 1 && balancer !== null) return
  const own = new Set(publicNamesOf(parts, owner))
  const wanted = new Map(namesOf(parts, owner, balancer))
  const names = { wanted, balancers, isOurs: (name: string) => own.has(name) }
  const change = await bringPublicNames(parts, async () => names, control)
  if (change !== null) await awaitChange(parts, change, control)
}
