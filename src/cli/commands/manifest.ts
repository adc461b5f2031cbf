import { dirname, resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { AppPlace } from '../../manifest/describe.ts'
import type { ReadOptions } from '../../manifest/load-tree.ts'
import type { CommandSpec } from '../command-spec.ts'
import { allowOptions, readPolicy } from '../policy-options.ts'
import { selectApp } from '../select-app.ts'
import type { Session } from '../session.ts'
import { init } from './manifest-init.ts'

const check: CommandSpec = {
  name: 'check',
  arguments: '[files...]',
  summary: 'what a rack does with each key of a compose file, and all that is wrong with it',
  description: [
    'Needs no rack. Several files are merged, later ones over earlier ones; a directory stands for its compose file.',
    'Paths in a file are relative to the folder of the first one. The exit code is 1 for a file with errors.',
    'What a rack refuses unless its policy allows it is an error; --allow-bind and --allow-privileged say what it allows.',
    "A variable that needs a value is a warning, since the app's environment may have it; with --env-file an error.",
  ].join('\n'),
  examples: [
    'manifest check',
    'manifest check docker-compose.yml production.yml',
    'manifest check examples/guestbook --verdicts',
    'manifest check --env-file production.env --resolved',
  ],
  options: [
    { flags: '--verdicts', meaning: 'every key, those that are honoured too' },
    {
      flags: '--resolved',
      meaning: 'the file in its longest form: nothing inherited, included or left to a variable',
    },
    { flags: '--env-file <path>', meaning: "the app's environment, as NAME=value lines" },
    { flags: '--dir <directory>', meaning: "the source directory; the first file's unless given" },
    ...allowOptions,
    { flags: '--app <app>', meaning: "the app whose names are shown; the directory's unless given" },
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, options } = session
    const { directory, files } = await findFiles(session)
    const { readLocalManifest } = await import('../source/read-manifest-source.ts')
    const { source } = await readLocalManifest(directory, files)
    const place = placeOf(session, directory)
    const readOptions = { ...(await readOptionsOf(session)), app: place.app }
    const { describeManifest } = await import('../../manifest/describe.ts')
    const report = describeManifest(source, readOptions, place)
    if (options.flag('resolved') && report.isValid) await printResolved(session, source, readOptions)
    else if (isJson) output.json(report)
    else {
      const { reportText } = await import('../output/manifest-report.ts')
      output.data(reportText(report, source, { isWhole: options.flag('verdicts') }))
    }
    return report.isValid ? 0 : 1
  },
}

/** The source directory, and the files of it that were named. @throws usage */
async function findFiles({ args, options, world }: Session): Promise<{ directory: string; files: string[] }> {
  const { stat } = process.getBuiltinModule('node:fs/promises')
  const named = options.text('dir')
  const [first] = args
  if (named !== undefined) return { directory: resolve(world.cwd, named), files: args }
  if (first === undefined) return { directory: world.cwd, files: [] }
  const path = resolve(world.cwd, first)
  const isDirectory = (await stat(path).catch(() => null))?.isDirectory() ?? false
  if (!isDirectory) return { directory: dirname(path), files: args.map((file) => resolve(world.cwd, file)) }
  if (args.length === 1) return { directory: path, files: [] }
  throw new RackError('usage', `${first} is a directory: it stands alone`, {
    hint: 'rack manifest check --dir DIRECTORY FILE…',
  })
}

/** The canonical file; with `--json`, the manifest that it is read as. */
async function printResolved(
  { output, isJson }: Session,
  source: ManifestSource,
  readOptions: ReadOptions,
): Promise<void> {
  const { readManifest } = await import('../../manifest/read-manifest.ts')
  const { manifest } = readManifest(source, readOptions)
  if (isJson || !manifest) return output.json(manifest)
  const { printManifest } = await import('../../manifest/print-manifest.ts')
  output.data(printManifest(manifest))
}

/** The names that the app would have by default: no rack is asked. */
function placeOf({ options, world }: Session, directory: string): AppPlace {
  const domain = 'localhost'
  try {
    return { app: selectApp({ option: options.text('app'), env: world.env, directory }).name, domain }
  } catch (error) {
    if (error instanceof RackError && error.code === 'usage') return { app: 'APP', domain }
    throw error
  }
}

async function readOptionsOf(session: Session): Promise<ReadOptions> {
  const { options, world } = session
  const policy = readPolicy(session)
  const file = options.text('env-file')
  if (file === undefined) return { environment: {}, lenientVariables: true, ...(policy && { policy }) }
  const { readVariables } = await import('../read-variables.ts')
  return { environment: await readVariables(world.cwd, file), ...(policy && { policy }) }
}

/** `rack manifest`. */
export const manifest: CommandSpec = {
  name: 'manifest',
  summary: 'check a compose file, or start one',
  examples: ['manifest check', 'manifest check production.yml --verdicts', 'manifest init'],
  needs: 'nothing',
  commands: [check, init],
}
