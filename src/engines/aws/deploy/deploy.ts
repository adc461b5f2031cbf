import type { Control } from '../../../domain/control.ts'
import type { Counts, Receipt } from '../../../domain/deployment.ts'
import type { Change } from '../../../domain/engine.ts'
import { makeId } from '../../../domain/id.ts'
import { ownerKey } from '../../../domain/owner.ts'
import type { Plan } from '../../../domain/plan.ts'
import { rollOut } from '../../../rollout/roll.ts'
import { changeRecords, findRecords, recordChanges } from '../inside/records.ts'
import { namesOfLinks } from '../inside/wanted-names.ts'
import { obstaclesOf } from '../obstacles.ts'
import { describeTasks } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'
import { makeNetworkBalancer, opensPorts } from '../routes/network-balancer.ts'
import { refuseOpening } from '../routes/open-ports.ts'
import { countRequests } from '../receipt/count-requests.ts'
import { ensureBalancer } from '../web/choose-balancer.ts'
import { findVolumes } from '../volumes/find-volumes.ts'
import { ensureAccessPoints } from './access-points.ts'
import { ensureApp } from './app-places.ts'
import { createAwsRuntime } from './aws-runtime.ts'
import { awaitStopped, retireEmpty } from '../leaving/leave-copies.ts'
import type { OwnRollout } from './own.ts'

/** Brings an app or a service to a plan by the rollout. */
export async function deployPlan(parts: AwsParts, change: Change, control: Control): Promise<Receipt> {
  const { plan } = change
  const [obstacle] = await obstaclesOf(parts, plan, new Set(), control)
  if (obstacle) throw obstacle
  await refuseOpening(parts, change, control)
  // They take minutes, and nothing is begun before they are there.
  if (opensPorts(plan)) await makeNetworkBalancer(parts, control)
  const balancer = await ensureBalancer(parts, plan, control)
  parts.web.hosts.set(ownerKey(plan.owner), balancer.host)
  const own = await prepare(parts, { ...change, balancer }, control)
  const receipt = await rollOutAlone(own, change, control)
  try {
    await retireEmpty(own, control)
  } catch (error) {
    // The plan serves: what keeps a place for nobody goes at the next deploy.
    parts.onTrouble(error)
  }
  const measured = measureBehind(own, receipt)
  if (measured === null) return { ...receipt, ...nothingCounted }
  // Nobody may ask.
  measured.catch(() => undefined)
  parts.measurements.set(own.operation, measured)
  return { ...receipt, measurement: own.operation }
}

/** What it has begun to make is nobody else's until it is over. */
async function rollOutAlone(own: OwnRollout, change: Change, control: Control): Promise<Receipt> {
  try {
    return await rollOut(createAwsRuntime(own, change), change, control)
  } finally {
    for (const name of own.generations.keys()) own.parts.preparing.delete(name)
  }
}

/** Where nobody comes in from outside. */
const nothingCounted: Counts = { requests: 0, failed: 0, longestStallMs: null, held: null }

/** What the balancers count comes minutes later (aws.md 4.2); null where there is nothing to wait for. */
function measureBehind(own: OwnRollout, { draining }: Receipt): Promise<Counts> | null {
  const { parts, started } = own
  const signal = parts.lifetime
  const leaving = draining.flatMap((id) => own.copies.get(id)?.task ?? [])
  const groups = [...own.generations.values()].flatMap((generation) => generation.groups)
  if (leaving.length + groups.length === 0) return null
  const measure = async () => {
    await awaitStopped(parts, leaving, { signal })
    if (groups.length === 0) return nothingCounted
    // By the account's clock, as what it counts is.
    const tasks = await describeTasks(parts, [...leaving, ...started], { signal })
    const times = tasks.flatMap(({ task: { createdAt, stoppedAt }, arn }) =>
      leaving.includes(arn) ? (stoppedAt ?? []) : (createdAt ?? []),
    )
    if (times.length === 0) return nothingCounted
    const from = new Date(Math.min(...times.map(Number)))
    const to = new Date(Math.max(...times.map(Number)))
    return await countRequests(parts, { balancer: own.balancer.arn, groups, from, to }, { signal })
  }
  return measure()
}

async function prepare(
  parts: AwsParts,
  { plan, live, balancer }: Pick<Change, 'plan' | 'live'> & Pick<OwnRollout, 'balancer'>,
  control: Control,
): Promise<OwnRollout> {
  const { owner } = plan
  const accessPoints = await ensureAccessPoints(parts, plan, control)
  // Of the owner's others too: what a release does not mount may be mounted by a one-off.
  const volumes = await findVolumes(parts, { owner }, control)
  const app = await ensureApp(parts, { owner, accessPoints: volumes.map(({ id }) => id) }, control)
  await nameLinks(parts, plan, control)
  return {
    parts,
    owner,
    operation: makeId('O', parts.randomBytes),
    balancer,
    app,
    accessPoints,
    volumesMadeMs: new Map(volumes.map(({ name, created }) => [name, Date.parse(created ?? '') || 0])),
    generations: new Map(),
    copies: new Map(),
    records: new Map(),
    naming: null,
    before: new Set(),
    plan: null,
    live,
    started: [],
    prepared: new Map(),
    lost: null,
  }
}

/** What its copies are led to has its names before the first of them starts. */
async function nameLinks(parts: AwsParts, plan: Plan, control: Control): Promise<void> {
  const wanted = namesOfLinks(parts.rack, plan)
  if (wanted.size === 0) return
  const records = await findRecords(parts, plan.owner, control)
  const changes = recordChanges(records, wanted)
  if (changes.length > 0) await changeRecords(parts, changes, control)
}
