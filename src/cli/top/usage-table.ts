import { formatBytes, formatDuration } from '../../lib/sizes.ts'
import { formatTable, type Column } from '../output/table.ts'
import type { AppView, CopyView, Figures, TypeView } from './usage-view.ts'

/** A line of the table: an app, or what is indented below it. */
interface Row extends Figures {
  name: string
  status: string
  started: string | null
  isBad: boolean
}

/** A line of text, and whether what it tells of is not as it should be. */
export interface UsageLine {
  text: string
  isBad: boolean
}

/** Apps, their processes and the copies of these under headings. */
export function formatUsage(apps: AppView[], nowMs: number): UsageLine[] {
  const rows = apps.flatMap((app) => [rowOfApp(app), ...app.processes.flatMap(rowsOfType)])
  const [heading = '', ...texts] = formatTable(columnsAt(nowMs), rows).trimEnd().split('\n')
  return [{ text: heading, isBad: false }, ...texts.map((text, at) => ({ text, isBad: rows[at]!.isBad }))]
}

function rowOfApp(app: AppView): Row {
  const isBad = app.processes.some(({ running, wanted }) => running < wanted)
  return { ...app, name: app.app, status: isBad ? 'lacks copies' : '', started: null, isBad }
}

function rowsOfType(type: TypeView): Row[] {
  const { running, wanted } = type
  const row = {
    ...type,
    name: `  ${type.type}`,
    status: `${running} of ${wanted}`,
    started: null,
    isBad: running < wanted,
  }
  return [row, ...type.copies.map(rowOfCopy)]
}

function rowOfCopy(copy: CopyView): Row {
  const kind = copy.kind === 'process' ? '' : ` (${copy.kind})`
  const isBad = ['unhealthy', 'crashed', 'restarting', 'stopped'].includes(copy.status)
  return { ...copy, name: `    ${copy.id}${kind}`, status: copy.detail ?? copy.status, isBad }
}

function columnsAt(nowMs: number): Column<Row>[] {
  const right = 'right' as const
  const up = ({ started }: Row) => started && formatDuration(nowMs - Date.parse(started))
  return [
    { heading: 'APP, PROCESS, COPY', value: ({ name }) => name },
    { heading: 'STATUS', value: ({ status }) => status },
    { heading: 'CPU', value: ({ cpuPercent }) => decimal(cpuPercent, ' %'), align: right },
    { heading: 'MEMORY', value: memoryOf, align: right },
    { heading: 'REQ/S', value: ({ requestsPerSecond }) => decimal(requestsPerSecond), align: right },
    { heading: 'ERR/S', value: ({ errorsPerSecond }) => decimal(errorsPerSecond), align: right },
    { heading: 'ANSWERS', value: answersOf, align: right },
    { heading: 'RESTARTS', value: restartsOf, align: right },
    { heading: 'UP', value: up, align: right },
  ]
}

function decimal(value: number | null, unit = ''): string | null {
  return value === null ? null : `${value.toFixed(1)}${unit}`
}

function answersOf({ answerMs }: Row): string | null {
  return answerMs === null ? null : formatDuration(answerMs)
}

function memoryOf({ memoryBytes, memoryLimitBytes }: Row): string | null {
  if (memoryBytes === null) return null
  const limit = memoryLimitBytes === null ? '' : ` / ${formatBytes(memoryLimitBytes)}`
  return `${formatBytes(memoryBytes)}${limit}`
}

function restartsOf({ restarts, outOfMemory }: Row): string {
  return outOfMemory > 0 ? `${restarts} (OOM ${outOfMemory})` : String(restarts)
}
