import type { ManifestSource } from '../../domain/manifest.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { ManifestReport } from '../../manifest/describe.ts'
import { countProblems, formatProblems } from '../../manifest/report.ts'
import { formatTable } from './table.ts'

type Verdict = ManifestReport['verdicts'][number]
type Process = ManifestReport['processes'][number]

/**
 * What `rack manifest check` says to a person: the problems, the verdicts, the processes and what they are called, and
 * the counts.
 * @param isWhole shows the verdicts on keys that are honoured, too
 */
export function reportText(
  report: ManifestReport,
  source: ManifestSource,
  { isWhole }: { isWhole: boolean },
): string {
  const { problems, verdicts, counts, processes } = report
  const files = source.files.map(({ path }) => path).join(', ')
  const shown = verdicts.filter(({ verdict }) => isWhole || verdict !== 'honoured')
  const summary = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`)
  const parts = [
    ...(problems.length > 0 ? [`${formatProblems(problems, source)}\n`] : []),
    ...(shown.length > 0 ? [verdictTable(shown)] : []),
    ...(processes.length > 0 ? [processTable(processes), nameTable(processes)] : []),
    `${files}: ${countProblems(problems)}; keys: ${summary.join(', ')}\n`,
  ]
  return parts.join('\n')
}

function verdictTable(verdicts: Verdict[]): string {
  return formatTable(
    [
      {
        heading: 'LINE',
        value: ({ position }: Verdict) => `${position.file}:${position.line}:${position.column}`,
      },
      { heading: 'KEY', value: ({ path }: Verdict) => path },
      { heading: 'VERDICT', value: ({ verdict }: Verdict) => verdict },
      { heading: 'WHY', value: ({ why, into }: Verdict) => (into ? `${why}: ${into}` : why) },
    ],
    verdicts,
  )
}

function processTable(processes: Process[]): string {
  return formatTable(
    [
      { heading: 'PROCESS', value: ({ name }: Process) => name },
      { heading: 'COUNT', value: ({ count }: Process) => count, align: 'right' },
      { heading: 'CPU', value: ({ cpuUnits }: Process) => cpuUnits, align: 'right' },
      { heading: 'MEMORY', value: ({ memoryBytes }: Process) => formatBytes(memoryBytes), align: 'right' },
      { heading: 'FROM', value: ({ build, image }: Process) => (build === null ? image : `build ${build}`) },
      { heading: 'PORTS', value: ({ ports }: Process) => ports.map(portText).join(', ') },
      { heading: 'VOLUMES', value: ({ volumes }: Process) => volumes.map(({ name }) => name).join(', ') },
      { heading: 'NEEDS', value: ({ required }: Process) => required.join(', ') },
    ],
    processes,
  )
}

function portText({ external, container, protocol }: Process['ports'][number]): string {
  return external === null ? `${container}` : `${external}→${container} ${protocol}`
}

/** By what the world, the app's other processes and the process itself know each other. */
function nameTable(processes: Process[]): string {
  return formatTable(
    [
      { heading: 'PROCESS', value: ({ name }: Process) => name },
      { heading: 'FROM OUTSIDE', value: (process: Process) => outsideNames(process).join(', ') },
      { heading: 'INSIDE', value: ({ names }: Process) => names.join(', ') },
      {
        heading: 'LINKS',
        value: ({ links }: Process) => links.map(({ host, variable }) => `${host} (${variable})`).join(', '),
      },
    ],
    processes,
  )
}

function outsideNames({ hosts, ports }: Process): string[] {
  const others = ports.filter(({ external, protocol }) => external !== null && protocol !== 'http')
  return [...hosts, ...others.map(({ external, protocol }) => `${protocol} port ${external}`)]
}
