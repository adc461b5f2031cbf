import type { ManifestSource } from '../../domain/manifest.ts'
import { isWeb } from '../../domain/port.ts'
import { nextTime } from '../../domain/timer.ts'
import { formatBytes } from '../../lib/sizes.ts'
import type { ManifestReport } from '../../manifest/describe.ts'
import { countProblems, formatProblems } from '../../manifest/report.ts'
import { formatTable } from './table.ts'
import { clockTime } from './times.ts'

type Verdict = ManifestReport['verdicts'][number]
type Process = ManifestReport['processes'][number]

/**
 * What `rack manifest check` says to a person: the problems, the verdicts, the processes and what they are called, and
 * the counts.
 * @param isWhole shows the verdicts on keys that are honoured, too
 * @param now after which the times of timers are looked for
 * @param namesEngine says for which engine the file was read
 */
export function reportText(
  report: ManifestReport,
  source: ManifestSource,
  { isWhole, namesEngine, now }: { isWhole: boolean; namesEngine: boolean; now: Date },
): string {
  const { engine, problems, verdicts, counts, processes } = report
  const files = source.files.map(({ path }) => path).join(', ')
  const shown = verdicts.filter(({ verdict }) => isWhole || verdict !== 'honoured')
  const summary = Object.entries(counts).map(([verdict, count]) => `${count} ${verdict}`)
  const parts = [
    ...(problems.length > 0 ? [`${formatProblems(problems, source)}\n`] : []),
    ...(shown.length > 0 ? [verdictTable(isWhole ? shown : grouped(shown))] : []),
    ...(processes.length > 0 ? [processTable(processes), nameTable(processes), ...gapTexts(processes)] : []),
    ...bindTable(processes),
    ...networkTable(report.networks),
    ...timerTable(timersOf(report, now)),
    `${files}${namesEngine ? `, for ${engine}` : ''}: ${countProblems(problems)}; keys: ${summary.join(', ')}\n`,
  ]
  return parts.join('\n')
}

/** What is said of many processes, or of many items, is one line: `services.*.restart (60×)`. */
function grouped(verdicts: Verdict[]): Verdict[] {
  const groups = Map.groupBy(verdicts, ({ path, verdict, why, into }) =>
    JSON.stringify([generalised(path), verdict, why, into]),
  )
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first || group.length < 2) return group
    return [{ ...first, path: `${generalised(first.path)} (${group.length}×)` }]
  })
}

/** The path with a `*` for each name and number that is the file's own. */
function generalised(path: string): string {
  return path
    .replace(/^(services|volumes|networks|configs|secrets)\.[^.[]+/, '$1.*')
    .replaceAll(/\[\d+\]/g, '[]')
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

/** Which processes do not serve while they are replaced, and how two releases of them may overlap. */
function gapTexts(processes: Process[]): string[] {
  const gaps = processes.flatMap(({ gap }) => (gap === null ? [] : [`${gap}\n`]))
  if (gaps.length === 0) return []
  return [`${gaps.join('')}Where two releases may write at once: deploy.update_config.order: start-first\n`]
}

function portText({ external, container, protocol, isLocal }: Process['ports'][number]): string {
  return external === null
    ? `${container}`
    : `${isLocal ? '127.0.0.1:' : ''}${external}→${container} ${protocol}`
}

/** By what the world, the app's other processes and the process itself know each other. */
function nameTable(processes: Process[]): string {
  return formatTable(
    [
      { heading: 'PROCESS', value: ({ name }: Process) => name },
      { heading: 'FROM OUTSIDE', value: (summary: Process) => outsideNames(summary).join(', ') },
      { heading: 'INSIDE', value: ({ names }: Process) => names.join(', ') },
      {
        heading: 'LINKS',
        value: ({ links }: Process) => links.map(({ host, variable }) => `${host} (${variable})`).join(', '),
      },
    ],
    processes,
  )
}

type Network = ManifestReport['networks'][number]

/** Who reaches whom, where some are kept apart. */
function networkTable(networks: Network[]): string[] {
  if (networks.length === 0) return []
  const table = formatTable(
    [
      { heading: 'NETWORK', value: ({ name }: Network) => name },
      { heading: 'PROCESSES', value: ({ processes }: Network) => processes.join(', ') },
      { heading: 'WAY OUT', value: ({ isInternal }: Network) => (isInternal ? 'none' : 'yes') },
    ],
    networks,
  )
  return [
    `${table}Processes reach those that they share a network with, and no other, where the machine takes rules for it: rack doctor\n`,
  ]
}

type Bind = Process['binds'][number] & { process: string }

/** What becomes of each path from the compose file that is mounted. */
function bindTable(processes: Process[]): string[] {
  const binds = processes.flatMap(({ name, binds: own }) => own.map((bind) => ({ ...bind, process: name })))
  const table = formatTable(
    [
      { heading: 'PROCESS', value: ({ process }: Bind) => process },
      { heading: 'MOUNT', value: ({ path }: Bind) => path },
      { heading: 'SOURCE', value: ({ source }: Bind) => source },
      { heading: 'BECOMES', value: bindText },
    ],
    binds,
  )
  return binds.length > 0 ? [table] : []
}

function bindText({ volume, isLaidOver, isFilled }: Bind): string {
  if (volume !== null) return `the volume ${volume}${isFilled ? ', first filled from the source' : ''}`
  return `part of the release${isLaidOver ? ', over what its build left there' : ''}`
}

/** The timers of a file, and when each runs next: RFC 3339. */
export function timersOf({ processes }: ManifestReport, now: Date) {
  return processes.flatMap(({ name: process, timers }) =>
    timers.map((timer) => ({ process, ...timer, next: nextTime(timer, now) })),
  )
}

type PlacedTimer = ReturnType<typeof timersOf>[number]

/** Nothing where there is none. */
function timerTable(timers: PlacedTimer[]): string[] {
  if (timers.length === 0) return []
  return [
    formatTable(
      [
        { heading: 'TIMER', value: ({ name }: PlacedTimer) => name },
        { heading: 'PROCESS', value: ({ process }: PlacedTimer) => process },
        { heading: 'TIMES', value: ({ schedule }: PlacedTimer) => schedule },
        { heading: 'NEXT', value: ({ next, timezone }: PlacedTimer) => next && clockTime(next, timezone) },
        { heading: 'OVERLAP', value: ({ overlap }: PlacedTimer) => overlap },
        { heading: 'COMMAND', value: ({ command }: PlacedTimer) => command },
      ],
      timers,
    ),
  ]
}

function outsideNames({ hosts, ports }: Process): string[] {
  const others = ports.filter(({ external, protocol }) => external !== null && !isWeb(protocol))
  return [
    ...hosts,
    ...others.map(
      ({ external, protocol, isLocal }) =>
        `${protocol} port ${external}${isLocal ? ' of this machine alone' : ''}`,
    ),
  ]
}
