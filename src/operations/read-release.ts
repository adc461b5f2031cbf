import { RackError } from '../domain/error.ts'
import type { Formation, Manifest, ManifestSource, Problem } from '../domain/manifest.ts'
import { planRelease, type Plan, type PlanInput } from '../domain/plan.ts'
import { anyPolicy } from '../domain/policy.ts'
import type { ReadOptions } from '../manifest/load-tree.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { problemLine } from '../manifest/report.ts'
import type { Context } from './context.ts'
import { findRelease } from './find.ts'

/** How a release is read. */
export interface Reading {
  /** Laid over what the store has, for a scale that has not happened yet. */
  formation?: Record<string, Formation> | undefined
  /** False for what is live, or only looked at: a policy that became stricter takes nothing down. */
  underPolicy: boolean
}

/**
 * Reads a release back: its build's compose text under its own environment, and the app's formation.
 * @throws not-found; conflict for a release without a build; manifest-invalid
 */
export async function readRelease(
  context: Context,
  app: string,
  release: string,
  { formation = {}, underPolicy }: Reading,
): Promise<PlanInput> {
  const { store, rack } = context
  const { build } = await findRelease(context, app, release)
  if (build === null) {
    throw new RackError('conflict', `${release} has an environment but no build`, {
      hint: `Build and promote the source: rack deploy --app ${app}`,
    })
  }
  const [environment, content, stored] = await Promise.all([
    store.releases.environment(app, release),
    store.builds.content(build),
    store.formations.get(app),
  ])
  return {
    rack: rack.name,
    domain: rack.domain,
    app,
    release,
    build,
    manifest: manifestOf(content.source, {
      environment,
      app,
      policy: underPolicy ? context.policy.current() : anyPolicy,
    }),
    images: content.images,
    environment,
    formation: { ...stored, ...formation },
    services: [],
  }
}

/** What shall be live: a release, with a formation laid over the stored one, and types to restart. */
export interface Target extends Reading {
  app: string
  release: string
  formation?: Record<string, Formation>
  restart?: { types: string[] | 'all'; at: string }
}

/** The plan of a target as it is to be deployed, and what it was made of. */
export async function phraseTarget(
  context: Context,
  { app, release, restart, ...reading }: Target,
): Promise<{ input: PlanInput; plan: Plan }> {
  const input = await readRelease(context, app, release, reading)
  const plan = planRelease(input)
  return { input, plan: restart ? restarted(plan, restart) : plan }
}

function restarted(plan: Plan, { types, at }: NonNullable<Target['restart']>): Plan {
  const processes = plan.processes.map((process) => {
    const isMeant = types === 'all' || types.includes(process.type)
    return isMeant ? { ...process, replaceBefore: at } : process
  })
  return { ...plan, processes }
}

/** The plan of the live release as it should run now, or null before the first promote. */
export async function livePlanOf(context: Context, app: string): Promise<Plan | null> {
  const live = (await context.store.apps.get(app))?.release
  return live ? planRelease(await readRelease(context, app, live, { underPolicy: false })) : null
}

function manifestOf(source: ManifestSource, options: ReadOptions): Manifest {
  const { manifest, problems } = readManifest(source, options)
  if (manifest) return manifest
  throw manifestError(problems, 'Give them a value, and make it live: rack env set --promote NAME=value')
}

/** One error that carries every problem of a compose file; the hint is for one that only lacks variables. */
export function manifestError(problems: Problem[], variablesHint: string): RackError {
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
          hint: 'Mend the lines above, then: rack manifest check',
        }
  return new RackError('manifest-invalid', [what, ...lines].join('\n'), { hint, details: problems })
}

const refusedByPolicy = {
  what: "the rack's policy refuses what the compose file wants",
  hint: 'Take it out of the file, or let the rack allow it: rack policy',
}

const lacksVariables = "the compose file wants variables that the app's environment lacks"
