import type { BuildContent } from '../domain/build.ts'
import { declaredFor } from '../domain/declared-variables.ts'
import { checkCommand } from '../domain/engine-features.ts'
import type { Environment } from '../domain/environment.ts'
import { RackError } from '../domain/error.ts'
import type { EngineFeatures } from '../domain/features.ts'
import type { Formation, Manifest, ManifestSource, Problem } from '../domain/manifest.ts'
import type { NoticedPort } from '../domain/noticed-port.ts'
import { planRelease, type Plan } from '../domain/plan.ts'
import type { PlanInput } from '../domain/plan-input.ts'
import { anyPolicy } from '../domain/policy.ts'
import { valuesOf } from '../domain/process-environment.ts'
import { refuseGone, type ReleaseLink, type ServiceLink } from '../domain/service-link.ts'
import type { ReadOptions } from '../manifest/load-tree.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { problemLine } from '../manifest/report.ts'
import { ownLink } from '../services/own-link.ts'
import type { LinkAddress } from '../domain/link.ts'
import { runsHere } from '../domain/service.ts'
import type { Context } from './context.ts'
import { findRelease } from './find.ts'
import { readStandIns } from './volume-data/current-volumes.ts'

/** How a release is read. */
export interface Reading {
  /** Laid over what the store has, for a scale that has not happened yet. */
  formation?: Record<string, Formation> | undefined
  /** False for what is live, or only looked at: a policy that became stricter takes nothing down. */
  underPolicy: boolean
  /** True for what is to become live: ports that were noticed since are served by name then. */
  isNext?: boolean
  /** What is mounted in place of volumes from then on, laid over what is now. */
  volumes?: Record<string, string> | undefined
}

/**
 * Reads a release back: its build's compose text under its own environment, and the app's formation.
 * @throws not-found; conflict for a release without a build; manifest-invalid
 */
export async function readRelease(
  context: Context,
  app: string,
  release: string,
  reading: Reading,
): Promise<PlanInput> {
  const { store } = context
  const { build, links } = await findRelease(context, app, release)
  if (build === null) {
    throw new RackError('conflict', `${release} has an environment but no build`, {
      hint: `Build and promote the source: rack deploy --app ${app}`,
    })
  }
  const [environment, content, formation, services, noticed] = await Promise.all([
    store.releases.environment(app, release),
    store.builds.content(build),
    store.formations.get(app),
    readServices(context, links),
    store.noticedPorts.get(app),
  ])
  const facts = { app, release, build, environment, content, formation, services, noticed }
  return await planInputOf(context, facts, reading)
}

/** What a release is made of, wherever it is kept. */
export interface ReleaseFacts extends Pick<PlanInput, 'app' | 'release' | 'build' | 'environment'> {
  content: BuildContent
  formation: Record<string, Formation>
  services: ServiceLink[]
  noticed: NoticedPort[]
}

/** The same of a release that is not in the store. @throws manifest-invalid */
export async function planInputOf(
  context: Context,
  { app, release, build, environment, content, formation: stored, services, noticed }: ReleaseFacts,
  { formation = {}, underPolicy, isNext = false, volumes = {} }: Reading,
): Promise<PlanInput> {
  const { rack } = context
  const manifest = manifestOf(content.source, {
    environment,
    app,
    features: context.engine.features,
    policy: underPolicy ? context.policy.current() : anyPolicy,
  })
  return {
    rack: rack.name,
    domain: rack.domain,
    app,
    release,
    build,
    manifest,
    ownLinks: ownLinksOf(manifest, environment),
    images: content.images,
    environment,
    formation: { ...stored, ...formation },
    services,
    gpus: rack.gpus,
    volumes: { ...(await currentVolumes(context, app, manifest)), ...volumes },
    noticed: noticed.filter(({ speaksHttp, isServed }) => (isNext ? speaksHttp : isServed)),
  }
}

/** What stands for volumes since something was put back; most apps have none, and nothing is read for them. */
async function currentVolumes(
  context: Context,
  app: string,
  manifest: Manifest,
): Promise<Record<string, string>> {
  if (manifest.volumes.length === 0) return {}
  const standIns = await readStandIns(context, app)
  return Object.fromEntries([...standIns].map(([name, { current }]) => [name, current]))
}

/** Of ready images that all know, by the variables that the process itself has. */
function ownLinksOf({ processes }: Manifest, environment: Environment): Record<string, Environment> {
  const linked = new Set(processes.flatMap(({ links }) => links.map(({ target }) => target)))
  const known = processes.filter(({ name, build, image }) => linked.has(name) && !build && image)
  return Object.fromEntries(
    known.map((type) => {
      const variables = { ...valuesOf(type), ...declaredFor(type, environment) }
      return [type.name, ownLink(type.image ?? '', variables)]
    }),
  )
}

/** By the link's name, but where the address names a host of its own, to which a certificate is made out. */
function namedBy(address: LinkAddress, { alias, service }: { alias: string; service: string }): LinkAddress {
  return address.host === service ? { ...address, host: alias } : address
}

/** Each by the version that the release names, so that what ran runs again with what it had. */
async function readServices({ store }: Context, links: ReleaseLink[]): Promise<ServiceLink[]> {
  if (links.length === 0) return []
  const types = new Map((await store.services.list()).map(({ name, type }) => [name, type]))
  return await Promise.all(
    links.map(async ({ alias, service, version, processes }) => {
      const some = processes ? { processes } : {}
      const address = (await store.services.version(service, version))?.address ?? null
      if (!address) return { alias, service, ...some, address, isRevoked: types.has(service) }
      const link = { alias, service, ...some, version }
      if (runsHere({ type: types.get(service) ?? '' }))
        return { ...link, address: namedBy(address, { alias, service }), runsHere: true }
      // What another rack shares is reached by the link's name, too.
      return { ...link, address: address.end ? { ...address, host: alias } : address }
    }),
  )
}

/** What shall be live: a release, with a formation laid over the stored one, and types to restart. */
export interface Target extends Reading {
  app: string
  release: string
  formation?: Record<string, Formation>
  restart?: { types: string[] | 'all'; at: string }
  /** Process ids of copies that are replaced although they are as they should be. */
  leaving?: string[]
  /** True for a promote that runs the release commands. */
  runsCommands?: boolean
}

/**
 * The plan of a target as it is to be deployed, and what it was made of.
 * @throws conflict for one that links a service that is no more
 */
export async function phraseTarget(
  context: Context,
  { app, release, restart, leaving: _leaving, runsCommands: _commands, ...reading }: Target,
): Promise<{ input: PlanInput; plan: Plan }> {
  const input = await readRelease(context, app, release, { ...reading, isNext: true })
  refuseGone(app, release, input.services)
  const plan = planRelease(input)
  return { input, plan: restart ? restarted(plan, restart) : plan }
}

function restarted(plan: Plan, { types, at }: NonNullable<Target['restart']>): Plan {
  const processes = plan.processes.map((processPlan) => {
    const isMeant = types === 'all' || types.includes(processPlan.type)
    return isMeant ? { ...processPlan, replaceBefore: at } : processPlan
  })
  return { ...plan, processes }
}

/** The plan of the live release as it should run now, or null before the first promote. */
export async function livePlanOf(context: Context, app: string): Promise<Plan | null> {
  const live = (await context.store.apps.get(app))?.release
  return live ? planRelease(await readRelease(context, app, live, { underPolicy: false })) : null
}

/** Those of all apps. */
export async function livePlansOf(context: Context): Promise<Plan[]> {
  const apps = await context.store.apps.list()
  const plans = await Promise.all(apps.map(({ name }) => livePlanOf(context, name)))
  return plans.filter((plan) => plan !== null)
}

function manifestOf(source: ManifestSource, options: ReadOptions): Manifest {
  const { manifest, problems } = readManifest(source, options)
  if (manifest) return manifest
  const variablesHint = 'Give them a value, and make it live: rack env set --promote NAME=value'
  throw manifestError(problems, options.features, variablesHint)
}

/** One error that carries every problem of a compose file; the hint is for one that only lacks variables. */
export function manifestError(
  problems: Problem[],
  features: EngineFeatures,
  variablesHint: string,
): RackError {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const lines = errors.map(problemLine)
  const count = errors.length === 1 ? 'a problem' : `${errors.length} problems`
  const of = (kind: Problem['kind']) => errors.every((problem) => problem.kind === kind)
  const { what, hint } = of('policy')
    ? refusedByPolicy
    : of('variable')
      ? { what: lacksVariables, hint: variablesHint }
      : {
          what: `the compose file has ${count}`,
          hint: `Mend the lines above, then: ${checkCommand(features)}`,
        }
  return new RackError('manifest-invalid', [what, ...lines].join('\n'), { hint, details: problems })
}

const refusedByPolicy = {
  what: "the rack's policy refuses what the compose file wants",
  hint: 'Take it out of the file, or let the rack allow it: rack policy',
}

const lacksVariables = "the compose file wants variables that the app's environment lacks"
