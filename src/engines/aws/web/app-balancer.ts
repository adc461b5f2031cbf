import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { isSameOwner, type Owner } from '../../../domain/owner.ts'
import type { FoundGeneration } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { findPlaces, type Place } from '../routes/places.ts'
import type { FoundWeb } from '../routes/rules.ts'

/** What tells behind which balancer an owner is. */
export interface HomeSigns {
  generations: readonly Pick<FoundGeneration, 'owner' | 'tags' | 'service'>[]
  /** Of types that nothing was ever started of. */
  places: readonly { number: number; owner: Owner }[]
  /** Whose rules are read for generations that have no tag of it. */
  webs: readonly FoundWeb[]
}

/** The number of the balancer that all types of an owner's web are behind; null while none is behind any. Pure. */
export function homeOf({ generations, places, webs }: HomeSigns, owner: Owner): number | null {
  for (const each of generations) {
    // What leaves says nothing of where the owner is.
    if (each.service.status !== 'ACTIVE' || !isSameOwner(each.owner, owner)) continue
    const number = numberOf(each, webs)
    if (number !== null) return number
  }
  return places.find((each) => isSameOwner(each.owner, owner))?.number ?? null
}

/**
 * The number of the balancer that a generation is behind, by its tag; of one that was made while there was but one, by
 * the rules that lead to it. Null for one that is behind none. Pure.
 */
function numberOf(
  { tags, service }: Pick<FoundGeneration, 'tags' | 'service'>,
  webs: readonly FoundWeb[],
): number | null {
  if (tags.balancer !== undefined) return Number(tags.balancer)
  const groups = new Set((service.loadBalancers ?? []).map(({ targetGroupArn }) => targetGroupArn))
  const leads = ({ rules }: FoundWeb) => rules.some((rule) => rule.groups.some(({ arn }) => groups.has(arn)))
  return webs.find(leads)?.balancer.number ?? null
}

/** Whose the places behind each balancer are. */
export async function placesOfWebs(
  parts: Pick<AwsParts, 'clients' | 'rack'>,
  webs: readonly FoundWeb[],
  control: Pick<Control, 'signal'>,
): Promise<HomeSigns['places']> {
  const found: (Pick<Place, 'owner'> & { number: number })[] = []
  for (const { balancer, rules } of webs) {
    for (const { owner } of await findPlaces(parts, rules, control))
      found.push({ number: balancer.number, owner })
  }
  return found
}

/** The balancer of an owner that was deployed, and what is behind it. @throws engine-failed where somebody has taken it away */
export function webOf(
  { webs, signs }: { webs: readonly FoundWeb[]; signs: HomeSigns },
  owner: Owner,
): FoundWeb {
  const number = homeOf(signs, owner) ?? 1
  const found = webs.find(({ balancer }) => balancer.number === number)
  if (found) return found
  const message = `the load balancer ${number} of the rack is gone, which led to ${owner.name}: somebody has deleted it`
  throw new RackError('engine-failed', message, {
    hint: `Deploy it again, which makes another one, with another address: rack deploy --app ${owner.name}`,
  })
}
