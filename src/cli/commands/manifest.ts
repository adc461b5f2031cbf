import { resolve } from 'node:path'
import type { CommandSpec } from '../command-spec.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'

const check: CommandSpec = {
  name: 'check',
  arguments: '[files...]',
  summary: 'what a rack does with each key of a compose file, and all that is wrong with it',
  description: 'Needs no rack. Several files are merged, later ones over earlier ones. The exit code is 1 for a file with errors.',
  examples: ['manifest check', 'manifest check docker-compose.yml production.yml', 'manifest check --json'],
  options: [
    { flags: '--verdicts', meaning: 'every key, the harmless ones too' },
    { flags: '--dir <directory>', meaning: 'the source directory; the current one unless given' },
  ],
  needs: 'nothing',
  async run(session) {
    const { output, isJson, options, world } = session
    const { readLocalManifest } = await import('../source/read-manifest-source.ts')
    const directory = resolve(world.cwd, options.text('dir') ?? '.')
    const { source } = await readLocalManifest(directory, session.args)
    const { describeManifest } = await import('../../manifest/describe.ts')
    const report = describeManifest(source, { environment: {}, lenientVariables: true })
    if (isJson) output.json(report)
    else output.data(await reportText(session, report, source))
    return report.isValid ? 0 : 1
  },
}

/** `rack manifest`. */
export const manifest: CommandSpec = {
  name: 'manifest',
  summary: 'check a compose file',
  examples: ['manifest check'],
  needs: 'nothing',
  commands: [check],
}

type Report = ReturnType<(typeof import('../../manifest/describe.ts'))['describeManifest']>
type Source = Parameters<(typeof import('../../manifest/report.ts'))['formatProblems']>[1]

async function reportText({ options }: Session, report: Report, source: Source): Promise<string> {
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

function verdictTable(verdicts: Report['verdicts']): string {
  type Row = Report['verdicts'][number]
  return formatTable(
    [
      { heading: 'KEY', value: ({ path }: Row) => path },
      { heading: 'VERDICT', value: ({ verdict }: Row) => verdict },
      { heading: 'WHY', value: ({ why }: Row) => why },
    ],
    verdicts,
  )
}

function processTable(processes: Report['processes']): string {
  type Row = Report['processes'][number]
  const port = ({ external, container, protocol }: Row['ports'][number]) =>
    external === null ? `${container}` : `${external}→${container} ${protocol}`
  return formatTable(
    [
      { heading: 'PROCESS', value: ({ name }: Row) => name },
      { heading: 'COUNT', value: ({ count }: Row) => count, align: 'right' },
      { heading: 'FROM', value: ({ build, image }: Row) => (build === null ? image : `build ${build}`) },
      { heading: 'PORTS', value: ({ ports }: Row) => ports.map(port).join(', ') },
      { heading: 'LINKS', value: ({ links }: Row) => links.map(({ host, variable }) => `${host} (${variable})`).join(', ') },
      { heading: 'NEEDS', value: ({ required }: Row) => required.join(', ') },
    ],
    processes,
  )
}
