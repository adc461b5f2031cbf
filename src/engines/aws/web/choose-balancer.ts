import type { WebBalancer } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Plan } from '../../../domain/plan.ts'
import { servesWeb } from '../../../domain/ways.ts'
import { findGenerations } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { findWebs, type FoundRule, type FoundWeb } from '../routes/rules.ts'
import { homeOf, placesOfWebs } from './app-balancer.ts'
import { nameShortage } from './public-names.ts'
import { findWebBalancers, firstOf, makeWebBalancer } from './web-balancers.ts'
import { balancerFor, groupShortage, groupsNeeded, groupsUsed, roomOf } from './web-room.ts'

interface Asked {
  plan: Plan
  /** Types of which copies will be started, as far as it is known; none when absent. */
  starting?: ReadonlySet<string>
  /** As they were read just now. */
  webs: readonly FoundWeb[]
}

/**
 * The number of the balancer of an app, which may not be there yet: it stays behind the one that it is behind, and comes
 * where there is room.
 * @throws capacity
 */
async function chooseBalancer(
  parts: AwsParts,
  { plan, starting = new Set(), webs }: Asked,
  control: Pick<Control, 'signal'>,
): Promise<number> {
  const { owner } = plan
  const rooms = webs.map((each) => roomOf(each.balancer.number, each.rules, parts.domain))
  const neededBehind = (rules: readonly FoundRule[]) => groupsNeeded(plan, starting, rules)
  const [first] = webs
  // As it is in most racks: then nobody has to be asked where the app is.
  if (webs.length === 1 && balancerFor(neededBehind(first!.rules), rooms) === 1) return 1
  const places = await placesOfWebs(parts, webs, control)
  const generations = await findGenerations(parts, { owner }, control)
  const home = homeOf({ generations, places, webs }, owner)
  if (home === null) return balancerFor(neededBehind([]), rooms)
  const rules = webs.find(({ balancer }) => balancer.number === home)?.rules ?? []
  const needed = neededBehind(rules)
  const shortage = groupShortage(groupsUsed(rules), needed)
  if (shortage) throw shortage
  return home
}

/** Why there is no balancer for a plan, nor can be; null where it has one. */
export async function balancerShortage(
  parts: AwsParts,
  asked: Asked,
  control: Pick<Control, 'signal'>,
): Promise<RackError | null> {
  const { plan, webs } = asked
  if (!plan.processes.some(servesWeb)) return null
  try {
    if ((await chooseBalancer(parts, asked, control)) === 1) return null
  } catch (error) {
    if (error instanceof RackError && error.code === 'capacity') return error
    throw error
  }
  const balancers = webs.map(({ balancer }) => balancer)
  return await nameShortage(parts, { owner: plan.owner, balancers }, control)
}

/** The balancer of a plan that is to be made; null where it is there, or cannot be, which is an obstacle. */
export async function lackedBalancer(
  parts: AwsParts,
  plan: Plan,
  control: Pick<Control, 'signal'>,
): Promise<{ number: number; isLost: boolean } | null> {
  if (!plan.processes.some(servesWeb)) return null
  const home = await taggedHome(parts, plan, control)
  const there = new Set((await findWebBalancers(parts, control)).map(({ number }) => number))
  if (home !== null) return there.has(home) ? null : { number: home, isLost: true }
  const webs = await findWebs(parts, control)
  if (await balancerShortage(parts, { plan, webs }, control)) return null
  const number = await chooseBalancer(parts, { plan, webs }, control)
  return there.has(number) ? null : { number, isLost: false }
}

/** The balancer of a plan, made where it is not there; that takes minutes. @throws capacity */
export async function ensureBalancer(parts: AwsParts, plan: Plan, control: Control): Promise<WebBalancer> {
  if (!plan.processes.some(servesWeb)) return firstOf(parts)
  const home = await taggedHome(parts, plan, control)
  const number =
    home ?? (await chooseBalancer(parts, { plan, webs: await findWebs(parts, control) }, control))
  if (number === 1) return firstOf(parts)
  const balancer = await makeWebBalancer(parts, number, control)
  if (home === null) tellPlace(parts, plan, balancer, control)
  return balancer
}

/** Told by its services alone, without a look at rules. */
async function taggedHome(
  parts: AwsParts,
  { owner }: Plan,
  control: Pick<Control, 'signal'>,
): Promise<number | null> {
  const generations = await findGenerations(parts, { owner }, control)
  return homeOf({ generations, places: [], webs: [] }, owner)
}

/** Whoever brings an app hears that it is not where the record of the rack's domain leads. */
function tellPlace(
  { domain, domains }: AwsParts,
  { owner }: Plan,
  { host }: WebBalancer,
  { report }: Control,
): void {
  const tell = (text: string) => report({ type: 'log', text, time: new Date().toISOString() })
  tell(`${owner.name} is behind the load balancer ${host}: the rack leads ${owner.name}.${domain} there`)
  for (const { app, name } of domains.current()) {
    if (app === owner.name && !name.endsWith(`.${domain}`))
      tell(`let the DNS of ${name} lead there: a CNAME, or an alias at the top of a zone`)
  }
}
