import { dirname, resolve } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { EngineFeatures } from '../domain/features.ts'
import type { ReadOptions } from '../manifest/load-tree.ts'
import { readPolicy } from './policy-options.ts'
import { projectDirectory } from './project-directory.ts'
import type { Session } from './session.ts'

/** The source directory, and the files of it that were named. @throws usage */
export async function findFiles({
  args,
  options,
  world,
}: Session): Promise<{ directory: string; files: string[] }> {
  const { stat } = process.getBuiltinModule('node:fs/promises')
  const named = options.text('dir')
  const [first] = args
  if (named !== undefined) return { directory: resolve(world.cwd, named), files: args }
  if (first === undefined) return { directory: projectDirectory(world.cwd), files: [] }
  const path = resolve(world.cwd, first)
  const isDirectory = (await stat(path).catch(() => null))?.isDirectory() ?? false
  if (!isDirectory) return { directory: dirname(path), files: args.map((file) => resolve(world.cwd, file)) }
  if (args.length === 1) return { directory: path, files: [] }
  throw new RackError('usage', `${first} is a directory: it stands alone`, {
    hint: 'rack manifest check --dir DIRECTORY FILE…',
  })
}

/** With which a file is read: for which rack, under which policy, and with which variables. @throws usage, invalid */
export async function readOptionsOf(session: Session): Promise<ReadOptions> {
  const { options, world } = session
  const policy = readPolicy(session)
  const known = { features: await featuresOf(options.text('for')), ...(policy && { policy }) }
  const file = options.text('env-file')
  if (file === undefined) return { environment: {}, lenientVariables: true, isBeforeBuild: true, ...known }
  const { readVariables } = await import('./read-variables.ts')
  return { environment: await readVariables(world.cwd, file), ...known }
}

/** What a kind of rack can do. @throws usage */
async function featuresOf(named: string | undefined): Promise<EngineFeatures> {
  const { defaultEngine, findFeatures, engineNames } = await import('../domain/engine-features.ts')
  const features = findFeatures(named ?? defaultEngine)
  if (features) return features
  throw new RackError('usage', `there is no kind of rack "${named}"`, {
    hint: `One of: ${engineNames.join(', ')}`,
  })
}
