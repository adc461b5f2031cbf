import type { Logger } from 'pino'
import { createApiFace } from '../api/api-face.ts'
import { metricsFace } from '../api/metrics-face.ts'
import type { Control } from '../domain/control.ts'
import { strictPolicy } from '../domain/policy.ts'
import { createEdge } from '../edge/edge.ts'
import { isOnMachine, type Installation } from '../host/installation.ts'
import { openCertificates } from '../operations/certificates/certificate-keeper.ts'
import { openOrders } from '../operations/acme/order-keeper.ts'
import { openDomains } from '../operations/domains/domain-keeper.ts'
import { createOperations } from '../operations/create-operations.ts'
import type { RackSettings } from '../operations/context.ts'
import type { Door } from '../operations/door.ts'
import { openPolicy } from '../operations/policy-keeper.ts'
import { leadStore, openStore, type OpenStore } from '../store/open-store.ts'
import type { ApiPlace, DaemonPlace } from './daemon-place.ts'
import { leadOrEnd } from './lead-or-end.ts'
import { version } from './version.ts'
import { openMachineSite } from './machine.ts'
import type { Site, Sources } from './site.ts'
import { supervise } from './supervise.ts'

const defaultKeepReleases = 10
const defaultMaxSourceBytes = 2 * 2 ** 30

export interface RunningRack extends AsyncDisposable {
  /** Where the API answers. */
  address: string
}

/**
 * Wires one rack: store, objects, router, engine, operations, API. Settles when the API answers; what a dead daemon
 * left is taken up behind it, and the rack says `converging` until that is done.
 */
export async function startRack(place: DaemonPlace, log: Logger): Promise<RunningRack> {
  const { installation } = place
  await using undo = new AsyncDisposableStack()
  const stopping = new AbortController()
  const control: Control = { signal: stopping.signal, report: () => undefined }
  const options = await place.storeOptions()
  const lead = () => leadStore(options)
  // Before it is opened: who does not lead changes no table of whoever does.
  undo.use(await leadOrEnd({ lead, log, patienceMs: place.leadPatienceMs }, control))
  const store = await openStore(options)
  undo.defer(() => store.close())
  const names = await openNames(store, installation)
  const livePlans = async () => await room.livePlans()
  const site = await openSite(installation, { store, ...names, livePlans }, log, control)
  undo.defer(() => site.close())
  const policy = await openPolicy({
    policies: store.policies,
    seed: { ...strictPolicy, ...installation.policy },
    checkBinds: (paths) => site.checkBinds(paths),
  })
  const room = createOperations({
    rack: rackSettings(installation, site.gpus),
    host: site.host,
    store,
    engine: site.engine,
    objects: site.objects,
    policy,
    ...names,
    now: () => new Date(),
    log: (level, message, facts = {}) => log[level](facts, message),
  })
  await place.tokens.takeIn(room)
  const edge = undo.use(await openEdge(place.api, room.operations, log))
  const supervision = supervise({ site, room, policy, log, place }, control)
  undo.defer(async () => {
    // Marked as interrupted first: what recovery is at stays open in the journal, and is no failure.
    const interrupted = room.interrupt()
    stopping.abort()
    await Promise.all([interrupted, supervision])
  })

  const stack = undo.move()
  return { address: edge.address, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** What an account needs, the SDK of AWS above all, is loaded where there is one. */
async function openSite(
  installation: Installation,
  sources: Sources,
  log: Logger,
  control: Control,
): Promise<Site> {
  if (isOnMachine(installation)) return await openMachineSite(installation, sources, log, control)
  const { openAccountSite } = await import('./account.ts')
  return await openAccountSite(installation, sources, log)
}

/** What the verbs may know of this rack. */
function rackSettings({ name, domain, limits }: Installation, gpus: number): RackSettings {
  return {
    name,
    version,
    domain,
    gpus,
    keepReleases: defaultKeepReleases,
    maxSourceBytes: limits?.sourceBytes ?? defaultMaxSourceBytes,
  }
}

/** By what apps are reached, and what is shown for that. */
async function openNames({ certificates, acme, domains }: OpenStore, { name }: Installation) {
  return {
    certificates: await openCertificates(certificates, name),
    orders: await openOrders(acme),
    domains: await openDomains(domains),
  }
}

/** Serves the API until disposed. */
async function openEdge(api: ApiPlace, door: Door, log: Logger): Promise<RunningRack> {
  await using undo = new AsyncDisposableStack()
  const faces = [createApiFace({ version }), metricsFace]
  const edge = await createEdge({ door, faces, log, limits: api.limits, ownHost: api.ownHost })
  undo.defer(() => edge.close())
  const address = await api.listen(edge)
  const stack = undo.move()
  return { address, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}
