import { RackError } from '../domain/error.ts'
import type { Formation, Manifest } from '../domain/manifest.ts'
import { planRelease, type Plan, type PlanInput } from '../domain/plan.ts'
import { readManifest } from '../manifest/read-manifest.ts'
import { problemLine } from '../manifest/report.ts'
import type { Context } from './context.ts'
import { findRelease } from './find.ts'

/**
 * Reads a release back: its build's compose text under its own environment, and the app's formation.
 * @param formation laid over what the store has, for a scale that has not happened yet
 * @throws not-found; conflict for a release without a build; manifest-invalid
 */
export async function readRelease(
  context: Context,
  app: string,
  release: string,
  formation: Record<string, Formation> = {},
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
    manifest: manifestOf(content.source, environment),
    images: content.images,
    environment,
    formation: { ...stored, ...formation },
    services: [],
  }
}

/** What shall be live: a release, with a formation laid over the stored one, and types to restart. */
export interface Target {
  app: string
  release: string
  formation?: Record<string, Formation>
  restart?: { types: string[] | 'all'; at: string }
}

/** The plan of a target as it is to be deployed, and what it was made of. */
export async function phraseTarget(
  context: Context,
  { app, release, formation, restart }: Target,
): Promise<{ input: PlanInput; plan: Plan }> {
  const input = await readRelease(context, app, release, formation)
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
  return live ? planRelease(await readRelease(context, app, live)) : null
}

function manifestOf(
  source: Parameters<typeof readManifest>[0],
  environment: Record<string, string>,
): Manifest {
  const { manifest, problems } = readManifest(source, { environment })
  if (manifest) return manifest
  throw manifestError(problems)
}

/** One error that carries every problem of a compose file. */
export function manifestError(problems: ReturnType<typeof readManifest>['problems']): RackError {
  const errors = problems.filter(({ severity }) => severity === 'error')
  const lines = errors.map(problemLine)
  const count = errors.length === 1 ? 'a problem' : `${errors.length} problems`
  return new RackError('manifest-invalid', [`the compose file has ${count}`, ...lines].join('\n'), {
    hint: 'Mend the lines above, then: rack manifest check',
    details: problems,
  })
}
