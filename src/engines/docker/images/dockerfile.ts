/** One instruction of a Dockerfile on one logical line; `line` counts from 1. */
export interface Instruction {
  line: number
  name: string
  rest: string
}

/** Cuts a Dockerfile into instructions: continued lines are joined, comments are gone, here-documents left out. */
export function readInstructions(text: string): Instruction[] {
  const escape = /^#\s*escape\s*=\s*`/im.test(text) ? '`' : '\\'
  const instructions: Instruction[] = []
  let open: { line: number; parts: string[] } | null = null
  let ends: string[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim()
    if (ends.length > 0) {
      if (line === ends[0]) ends.shift()
      continue
    }
    if (line === '' || line.startsWith('#')) continue
    const isContinued = line.endsWith(escape)
    open ??= { line: index + 1, parts: [] }
    open.parts.push(isContinued ? line.slice(0, -1).trim() : line)
    if (isContinued) continue
    const instruction = split(open.parts.join(' '), open.line)
    instructions.push(instruction)
    ends = ['RUN', 'COPY', 'ADD'].includes(instruction.name) ? hereDocuments(instruction.rest) : []
    open = null
  }
  if (open) instructions.push(split(open.parts.join(' '), open.line))
  return instructions
}

/** Names of `ARG`s without a default. */
export function bareArguments(instructions: Instruction[]): string[] {
  const words = instructions.filter(({ name }) => name === 'ARG').flatMap(({ rest }) => rest.split(/\s+/))
  return [...new Set(words.filter((word) => /^[A-Za-z_]\w*$/.test(word)))]
}

/** The line of the step that BuildKit calls `[2/5] RUN make`, or null when none or several are written so. */
export function lineOfStep(instructions: Instruction[], step: string): number | null {
  const wanted = squeeze(step.replace(/^\[[^\]]*\]\s*/, ''))
  const found = instructions.filter(({ name, rest }) => squeeze(`${name} ${rest}`) === wanted)
  return found.length === 1 ? found[0]!.line : null
}

/** The image that a `# syntax=` line asks for; it is fetched before anything is read. */
export function syntaxImage(text: string): string | null {
  return /^\uFEFF?(?:#[^\n]*\n)*?#\s*syntax\s*=\s*(\S+)/i.exec(text)?.[1] ?? null
}

function split(text: string, line: number): Instruction {
  const [name = ''] = text.split(/\s/, 1)
  return { line, name: name.toUpperCase(), rest: text.slice(name.length).trim() }
}

function hereDocuments(rest: string): string[] {
  return [...rest.matchAll(/<<-?\s*(["']?)(\w+)\1/g)].map((found) => found[2] ?? '')
}

const squeeze = (text: string) => text.replaceAll(/\s+/g, ' ').trim()
