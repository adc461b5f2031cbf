import { awsFeaturesOf } from '../../domain/aws-features.ts'
import type { Control } from '../../domain/control.ts'
import type { Engine, EngineInfo } from '../../domain/engine.ts'
import { accountEngine } from '../../domain/aws-places.ts'
import { RackError } from '../../domain/error.ts'
import type { NameState } from '../../domain/name-state.ts'
import { appOwner, ownerKey, type Owner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import { servesWeb } from '../../domain/ways.ts'
import { unknownCounts } from '../../rollout/receipt.ts'
import { abortable } from '../../lib/deadline.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import { createOwnerTurns, guarded } from '../common/owner-turns.ts'
import { readCapacity } from './capacity.ts'
import { createParts } from './create-parts.ts'
import { bringNamesOf } from './certificates/bring-names.ts'
import { bringPorts, unledPlans } from './deploy/bring-ports.ts'
import { bringWays } from './deploy/bring-ways.ts'
import { createSettledWays } from './deploy/settled-ways.ts'
import { deployPlan } from './deploy/deploy.ts'
import { deprovisionManaged } from './managed/deprovision.ts'
import { provisionManaged } from './managed/provision.ts'
import { rebootManaged } from './managed/reboot.ts'
import { adoptLeaving } from './leaving/adopt-leaving.ts'
import { removeVolumes } from './volumes/erase-volumes.ts'
import { endpointsOf } from './endpoints.ts'
import { nameObstacles, obstaclesOf } from './obstacles.ts'
import { adoptOneOffs } from './processes/adopt-one-offs.ts'
import { processVerbs } from './processes/process-verbs.ts'
import { volumeVerbs } from './volumes/volume-verbs.ts'
import { removeOwner } from './remove-owner.ts'
import { sweepRack } from './sweep.ts'
import { additionsOf } from './additions.ts'
import { findNetworkBalancer } from './routes/network-balancer.ts'
import { buildImages } from './images/build.ts'
import { assertHere, forgetImages, imagesHere, tryLogin } from './images/kept-images.ts'
import { calledHere, loadImages } from './images/load-images.ts'
import { saveImages } from './images/save-images.ts'
import { notThere } from './not-there.ts'
import type { AwsEngineOptions, AwsParts } from './parts.ts'

/** What has become of names, and of apps. */
export interface BroughtNames {
  states: NameState[]
  /** Why an app could not be brought to its names; null where all were. It keeps no other one from theirs. */
  failure: Error | null
}

/** An engine in an account, with what only its owner needs. */
export interface AwsEngine extends Engine {
  /**
   * Takes up what a daemon before left half way: copies that leave, and one-offs, running or ended. To be called at the
   * start; safe to repeat.
   */
  start(control: Control): Promise<void>
  /**
   * Has apps reached by the names that they have now, domains among them, and certificates for these names had of the
   * account and shown. Each call goes one step on; to be called when domains have changed, and every minute.
   * What is being deployed or removed meanwhile is left to that, and to the next call.
   * @param plans live ones, of all apps; what has been deployed or removed since they were read counts instead
   */
  bringNames(plans: readonly Plan[], control: Control): Promise<BroughtNames>
  /** The host of the load balancer that leads to an app, as it was seen last; null for one that was not. */
  hostOf(app: string): string | null
  /** Lets go of everything; processes run on. */
  close(): Promise<void>
}

/** Makes the engine of a rack in an AWS account; nothing is called before the first call. */
export function createAwsEngine(options: AwsEngineOptions): AwsEngine {
  const closing = new AbortController()
  const parts = createParts(options, closing.signal)
  return {
    features: awsFeaturesOf({ hasCertificate: options.places.balancer.listeners.https !== null }),
    ...changes(parts),
    ...processVerbs(parts, guarded),
    ...volumeVerbs(parts, guarded),
    ...imageVerbs(parts),
    ...serviceVerbs(parts),
    about: (control) => guarded(control, () => aboutAccount(parts, control)),
    endpoints: (plan) => endpointsOf(parts, plan),
    hostOf: (app) => parts.web.hosts.get(ownerKey(appOwner(app))) ?? null,
    capacity: (control) => guarded(control, () => readCapacity(parts, control)),
    sweep: (keep, control) => guarded(control, () => sweepRack(parts, keep, control)),
    start: (control) =>
      guarded(control, async () => {
        // Of what it was installed with nobody knows whether it is there.
        parts.network.balancer = undefined
        await findNetworkBalancer(parts, control)
        await adoptLeaving(parts, control)
        await adoptOneOffs(parts, control)
      }),
    async close() {
      closing.abort(new RackError('cancelled', 'the rack is stopping'))
    },
  }
}

/** By the date of its API: nothing else of ECS has a version. */
async function aboutAccount({ clients }: AwsParts, { signal }: Control): Promise<EngineInfo> {
  await clients.identity.getCallerIdentity({}, { abortSignal: signal })
  return { name: accountEngine, version: '2014-11-13' }
}

/** What changes the copies of an app or a service: one at a time. */
function changes(
  parts: AwsParts,
): Pick<
  AwsEngine,
  'obstacles' | 'nameObstacles' | 'additions' | 'deploy' | 'measure' | 'remove' | 'bringNames'
> {
  const inTurn = createOwnerTurns()
  const turns: Turns = { inTurn, changing: new Set(), brought: new Map() }
  const { changing, brought } = turns
  const change = async <T>(owner: Owner, control: Control, task: () => Promise<T>): Promise<T> =>
    await inTurn(owner, control, async () => {
      changing.add(ownerKey(owner))
      try {
        return await task()
      } finally {
        changing.delete(ownerKey(owner))
      }
    })
  return {
    obstacles: (plan, starting, control) =>
      guarded(control, () => obstaclesOf(parts, plan, starting, control)),
    nameObstacles: (plan, domains) => nameObstacles(plan, domains),
    additions: (plan, control) => guarded(control, () => additionsOf(parts, plan, control)),
    deploy: (order, control) =>
      change(order.plan.owner, control, async () => {
        const receipt = await deployPlan(parts, order, control)
        brought.set(ownerKey(order.plan.owner), order.plan)
        return receipt
      }),
    bringNames: namesVerb(parts, turns),
    measure: (measurement, control) =>
      guarded(control, async () => {
        const counts = await abortable(
          parts.measurements.get(measurement) ?? Promise.resolve(unknownCounts),
          control.signal,
        )
        parts.measurements.delete(measurement)
        return counts
      }),
    remove: (owner, { volumes }, control) =>
      change(owner, control, async () => {
        await removeOwner(parts, owner, control)
        brought.set(ownerKey(owner), null)
        if (volumes) await removeVolumes(parts, owner, control)
      }),
  }
}

/** Whose turn it is to change an owner; all by its key. */
interface Turns {
  inTurn: ReturnType<typeof createOwnerTurns>
  /** Whose deploy or removal is under way: that may take long, and leads by itself. */
  changing: Set<string>
  /** To what the last change has led; null where it is gone. */
  brought: Map<string, Plan | null>
}

function namesVerb(parts: AwsParts, { inTurn, changing, brought }: Turns): AwsEngine['bringNames'] {
  const naming = createSemaphore(1)
  const lookAtWays = createSettledWays(parts)
  return (plans, control) =>
    guarded(control, async () => {
      const bring = async () => await bringNamesOf(parts, plans, control)
      const states = await naming.run(bring, control.signal)
      const wantedOf = (read: Plan) => {
        const last = brought.get(ownerKey(read.owner))
        return last === null ? null : (last ?? read)
      }
      const works: [Plan, (wanted: Plan) => Promise<void>][] = []
      for (const read of await unledPlans(parts, plans, control))
        works.push([read, async (wanted) => await bringPorts(parts, wanted, control)])
      const web = plans.filter(({ processes }) => processes.some(servesWeb))
      if (web.length > 0) {
        const look = await lookAtWays(web, control)
        for (const read of web) {
          if (look.isSettled(wantedOf(read) ?? read)) continue
          works.push([read, async (wanted) => look.note(wanted, await bringWays(parts, wanted, control))])
        }
      }
      // An app that is being deployed, or cannot have what it asks for, keeps no other from its names.
      const possible = works.filter(([{ owner }]) => !changing.has(ownerKey(owner)))
      const ends = await Promise.allSettled(
        possible.map(
          async ([read, work]) =>
            await inTurn(read.owner, control, async () => {
              const wanted = wantedOf(read)
              if (wanted !== null) await work(wanted)
            }),
        ),
      )
      const failed = ends.find((each) => each.status === 'rejected')
      return { states, failure: (failed?.reason as Error | undefined) ?? null }
    })
}

function imageVerbs(
  parts: AwsParts,
): Pick<
  Engine,
  | 'build'
  | 'tryLogin'
  | 'saveImages'
  | 'loadImages'
  | 'calledHere'
  | 'imagesHere'
  | 'nameImages'
  | 'forgetImages'
> {
  return {
    build: (request, control) => guarded(control, () => buildImages(parts, request, control)),
    tryLogin: (login, control) => guarded(control, () => tryLogin(login, control)),
    saveImages: ({ references }, out, control) =>
      guarded(control, () => saveImages(parts, { references, out }, control)),
    loadImages: (saved, control) => guarded(control, () => loadImages(parts, saved, control)),
    calledHere: (app, image) => calledHere(parts, app, image),
    imagesHere: (references, control) => guarded(control, () => imagesHere(parts, references, control)),
    nameImages: ({ images }, control) => guarded(control, () => assertHere(parts, images, control)),
    forgetImages: (app, _references, control) => guarded(control, () => forgetImages(parts, app, control)),
  }
}

function serviceVerbs(
  parts: AwsParts,
): Pick<Engine, 'provision' | 'deprovision' | 'reboot' | 'openEntrance'> {
  return {
    provision: (managed, control) => guarded(control, () => provisionManaged(parts, managed, control)),
    deprovision: (service, control) => guarded(control, () => deprovisionManaged(parts, service, control)),
    reboot: (service, control) => guarded(control, () => rebootManaged(parts, service, control)),
    openEntrance: async (entrance) => {
      if (entrance) throw notThere('let other racks in', 'it has no router of its own')
    },
  }
}
