import { processNamePattern } from '../../domain/manifest.ts'

/** A line of a Procfile. */
export interface ProcfileLine {
  /** As a process may be called here. */
  name: string
  /** As the Procfile has it. */
  original: string
  command: string
}

/** What a Procfile says, or why it cannot be read. */
export interface Procfile {
  processes: ProcfileLine[]
  /** The command of `release:`, which runs before a release. */
  release: string | null
  faults: { line: number; message: string }[]
}

const assignment = /^\s*([A-Za-z0-9_-]+)\s*:\s*(\S.*?)\s*$/

/** Reads `name: command` lines; comments and empty lines are passed over. */
export function readProcfile(text: string): Procfile {
  const procfile: Procfile = { processes: [], release: null, faults: [] }
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue
    const [, original, command] = assignment.exec(line) ?? []
    const message =
      original === undefined || command === undefined
        ? 'not a line of the form `name: command`'
        : take(procfile, original, command)
    if (message !== null) procfile.faults.push({ line: index + 1, message })
  }
  return procfile
}

/** Adds one line; returns what is wrong with it, or null. */
function take(procfile: Procfile, original: string, command: string): string | null {
  const name = original
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  if (name === 'release') {
    if (procfile.release !== null) return '`release` is given twice'
    procfile.release = command
    return null
  }
  if (!processNamePattern.test(name)) return `"${original}" cannot be the name of a process`
  const other = procfile.processes.find((one) => one.name === name)
  if (other) return `"${original}" and "${other.original}" would both be called "${name}"`
  procfile.processes.push({ name, original, command })
  return null
}
