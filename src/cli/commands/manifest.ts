import { RackError } from '../../domain/error.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { UnheardFormation } from '../../domain/unheard-formation.ts'
import type { AppPlace, ManifestReport } from '../../manifest/describe.ts'
import type { ReadOptions } from '../../manifest/load-tree.ts'
import type { CommandSpec } from '../command-spec.ts'
import { allowOptions } from '../policy-options.ts'
import { selectApp } from '../select-app.ts'
import type { Session } from '../session.ts'
import { findFiles, readOptionsOf } from '../manifest-arguments.ts'
import { fix } from './manifest-fix.ts'
import { init } from './manifest-init.ts'

const check: CommandSpec = {
  name: 'check',
  arguments: '[files...]',
  summary: 'what a rack does with each key of a compose file, and all that is wrong with it',
  description: [
    'Needs no rack: --for says for which kind of rack the file is read, docker unless it is given.',
    'Several files are merged, later ones over earlier ones; a directory stands for its compose file.',
    'Paths in a file are relative to the folder of the first one. The exit code is 1 for a file with errors.',
    'What a rack refuses unless its policy allows it is an error; --allow-bind and --allow-privileged say what it allows.',
    'With --live the app on the rack is asked too: what the file says of copies, cpu and memory, and rack scale owns.',
    "A variable that needs a value is a warning, since the app's environment may have it; with --env-file an error.",
  ].join('\n'),
  examples: [
    'manifest check',
    'manifest check docker-compose.yml production.yml',
    'manifest check examples/guestbook --verdicts',
    'manifest check --for aws',
    'manifest check --live --app shop',
    'manifest check --env-file production.env --resolved',
  ],
  options: [
    { flags: '--for <engine>', meaning: 'the kind of rack: docker (one machine) or aws (an AWS account)' },
    { flags: '--verdicts', meaning: 'every key, those that are honoured too' },
    {
      flags: '--resolved',
      meaning: 'the file in its longest form: nothing inherited, included or left to a variable',
    },
    { flags: '--env-file <path>', meaning: "the app's environment, as NAME=value lines" },
    { flags: '--dir <directory>', meaning: "the source directory; the first file's unless given" },
    ...allowOptions,
    { flags: '--app <app>', meaning: "the app whose names are shown; the directory's unless given" },
    { flags: '--live', meaning: 'compare with what the rack has of the app, and rack scale owns' },
    { flags: '--rack <name>', meaning: 'the rack that --live asks; else RACK_NAME, else the current one' },
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
    const unheard = options.flag('live') ? await unheardOf(session, report, directory) : null
    if (options.flag('resolved') && report.isValid) await printResolved(session, source, readOptions)
    else {
      const { reportText, timersOf } = await import('../output/manifest-report.ts')
      const now = new Date()
      const namesEngine = options.text('for') !== undefined
      const isWhole = options.flag('verdicts')
      if (isJson) output.json({ ...report, timers: timersOf(report, now), ...(unheard && { unheard }) })
      else output.data(reportText(report, source, { isWhole, namesEngine, now }))
    }
    for (const { text } of unheard ?? []) output.say(output.colors.say.yellow(text))
    await tellOtherTools(session, directory)
    return report.isValid ? 0 : 1
  },
}

/** What the file says and a promote would not change, since a scale owns it. */
async function unheardOf(
  session: Session,
  { processes }: Pick<ManifestReport, 'processes'>,
  directory: string,
): Promise<UnheardFormation[]> {
  const { name: app } = session.app({ directory })
  const client = await session.connect()
  const { unheardFormation } = await import('../../domain/unheard-formation.ts')
  const types = processes.map((type) => ({ name: type.name, formation: type }))
  return unheardFormation(types, await client.getFormation({ params: { app } }))
}

/** What lies beside the file for another tool, and what does the same here. */
async function tellOtherTools({ output }: Session, directory: string): Promise<void> {
  const { otherToolsIn, otherToolText } = await import('../source/other-tools.ts')
  for (const tool of otherToolsIn(directory)) output.say(otherToolText(tool))
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

/** `rack manifest`. */
export const manifest: CommandSpec = {
  name: 'manifest',
  summary: 'check a compose file, mend it, or start one',
  examples: [
    'manifest check',
    'manifest check production.yml --verdicts',
    'manifest fix --write',
    'manifest init',
  ],
  needs: 'nothing',
  commands: [check, fix, init],
}
