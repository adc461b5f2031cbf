import type { Reply } from '../../client/client-types.ts'
import { formatTable } from './table.ts'

type Check = Reply<'checkLinks'>[number]

/** A line for each link that was opened: by whom, how soon, and what is wrong. */
export function checkTable(checks: Check[], { red }: { red: (text: string) => string }): string {
  const columns = [
    { heading: 'APP', value: ({ app }: Check) => app },
    { heading: 'LINK', value: ({ alias, target, kind }: Check) => linkText(alias, target, kind) },
    { heading: 'FROM', value: fromText },
    { heading: 'OPENED', value: ({ connectMs }: Check) => (connectMs === null ? '' : msText(connectMs)) },
    { heading: 'LOGGED IN', value: ({ loginMs }: Check) => (loginMs === null ? '' : msText(loginMs)) },
    { heading: 'PROBLEM', value: ({ problem }: Check) => (problem === null ? '' : red(oneLine(problem))) },
  ]
  return formatTable(columns, checks)
}

function linkText(alias: string, target: string, kind: Check['kind']): string {
  return `${alias} → ${target}${kind === 'process' ? ' (process)' : ''}`
}

/** `web (PABC…)`; where no process could, the rack has. */
function fromText({ process: type, from }: Check): string {
  if (from !== null) return `${type} (${from})`
  return type === null ? 'the rack' : `the rack, for ${type}`
}

function msText(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, '; ')
}
