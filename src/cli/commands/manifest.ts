import { dirname, resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { ManifestReport } from '../../manifest/describe.ts'
import type { ReadOptions } from '../../manifest/load-tree.ts'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'
import { allowOptions, readPolicy } from '../policy-options.ts'
import type { Session } from '../session.ts'

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
    { flags: '--verdicts', meaning: 'every key, the harmless ones too' },
    { flags: '--resolved', meaning: 'what a rack makes of the file, in its own form, as JSON' },
    { flags: '--env-file <path>', meaning: "the app's environment, as NAME=value lines" },
    { flags: '--dir <directory>', meaning: "the source directory; the first file's unless given" },
    ...allowOptions,
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, options } = session
    const { directory, files } = await findFiles(session)
    const { readLocalManifest } = await import('../source/read-manifest-source.ts')
    const { source } = await readLocalManifest(directory, files)
    const readOptions = await readOptionsOf(session)
    const { describeManifest } = await import('../../manifest/describe.ts')
    const report = describeManifest(source, readOptions)
    if (options.flag('resolved') && report.isValid) {
      const { readManifest } = await import('../../manifest/read-manifest.ts')
      output.json(readManifest(source, readOptions).manifest)
    } else if (isJson) output.json(report)
    else output.data(await reportText(session, report, source))
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
  summary: 'check a compose file',
  examples: ['manifest check', 'manifest check production.yml --verdicts'],
  needs: 'nothing',
  commands: [check],
}

type Source = Pick<ManifestSource, 'files'>

async function reportText({ options }: Session, report: ManifestReport, source: Source): Promise<string> {
  const { countProblems, formatProblems } = await import('../../manifest/report.ts')
  const { problems, verdicts, counts, processes } = report
  const files = source.files.map(({ path }) => path).join(', ')
  const shown = options.flag('verdicts') ? verdicts : []
  const summary = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`)
  const parts = [
    ...(problems.length > 0 ? [`${formatProblems(problems, source)}\n`] : []),
    ...(shown.length > 0 ? [verdictTable(shown)] : []),
    ...(processes.length > 0 ? [processTable(processes)] : []),
    `${files}: ${countProblems(problems)}; keys: ${summary.join(', ')}\n`,
  ]
  return parts.join('\n')
}

function verdictTable(verdicts: ManifestReport['verdicts']): string {
  type Row = ManifestReport['verdicts'][number]
  return formatTable(
    [
      {
        heading: 'LINE',
        value: ({ position }: Row) => `${position.file}:${position.line}:${position.column}`,
      },
      { heading: 'KEY', value: ({ path }: Row) => path },
      { heading: 'VERDICT', value: ({ verdict }: Row) => verdict },
      { heading: 'WHY', value: ({ why, into }: Row) => (into ? `${why}: ${into}` : why) },
    ],
    verdicts,
  )
}

function processTable(processes: ManifestReport['processes']): string {
  type Row = ManifestReport['processes'][number]
  const port = ({ external, container, protocol }: Row['ports'][number]) =>
    external === null ? `${container}` : `${external}→${container} ${protocol}`
  return formatTable(
    [
      { heading: 'PROCESS', value: ({ name }: Row) => name },
      { heading: 'COUNT', value: ({ count }: Row) => count, align: 'right' },
      { heading: 'FROM', value: ({ build, image }: Row) => (build === null ? image : `build ${build}`) },
      { heading: 'PORTS', value: ({ ports }: Row) => ports.map(port).join(', ') },
      {
        heading: 'LINKS',
        value: ({ links }: Row) => links.map(({ host, variable }) => `${host} (${variable})`).join(', '),
      },
      { heading: 'NEEDS', value: ({ required }: Row) => required.join(', ') },
    ],
    processes,
  )
}
