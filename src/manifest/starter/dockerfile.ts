/** What the last stage of a Dockerfile says of itself. */
export interface DockerfileFacts {
  /** From EXPOSE, tcp only, in their order. */
  ports: number[]
  /** Directories under VOLUME. */
  volumes: string[]
  hasHealthcheck: boolean
}

const highestPort = 65_535

/** Reads what a starter file can use; anything else of the Dockerfile is the builder's to judge. */
export function readDockerfile(text: string): DockerfileFacts {
  let facts = noFacts()
  const values = new Map<string, string>()
  for (const line of instructionsOf(text)) {
    const [, word = '', rest = ''] = /^\s*([A-Za-z]+)\s+(.*)$/s.exec(line) ?? []
    const instruction = word.toUpperCase()
    if (instruction === 'FROM') facts = noFacts()
    else if (instruction === 'ARG' || instruction === 'ENV') keepValues(rest, values)
    else if (instruction === 'EXPOSE') facts.ports.push(...portsOf(filled(rest, values)))
    else if (instruction === 'VOLUME') facts.volumes.push(...pathsOf(filled(rest, values)))
    else if (instruction === 'HEALTHCHECK') facts.hasHealthcheck = rest.trim().toUpperCase() !== 'NONE'
  }
  return { ...facts, ports: [...new Set(facts.ports)], volumes: [...new Set(facts.volumes)] }
}

function noFacts(): DockerfileFacts {
  return { ports: [], volumes: [], hasHealthcheck: false }
}

/** Lines that end with a backslash go on in the next; comments between them do not end them. */
function instructionsOf(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line))
  return lines
    .join('\n')
    .replaceAll(/\\[ \t]*\n/g, ' ')
    .split('\n')
}

/** `NAME=value` pairs, and the older `ENV NAME value`. */
function keepValues(rest: string, values: Map<string, string>): void {
  const pairs = [...rest.matchAll(/([A-Za-z_]\w*)=("[^"]*"|'[^']*'|\S*)/g)]
  for (const [, name = '', value = ''] of pairs) values.set(name, value.replaceAll(/^["']|["']$/g, ''))
  const [, name, value] = pairs.length === 0 ? (/^([A-Za-z_]\w*)\s+(\S+)/.exec(rest) ?? []) : []
  if (name !== undefined && value !== undefined) values.set(name, value)
}

function filled(text: string, values: Map<string, string>): string {
  return text.replaceAll(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (_whole, braced, fallback, plain) => {
    const name = String(braced ?? plain)
    return values.get(name) ?? String(fallback ?? '')
  })
}

function portsOf(text: string): number[] {
  return text.split(/\s+/).flatMap((word) => {
    const [, number] = /^(\d{1,5})(?:-\d{1,5})?(?:\/tcp)?$/i.exec(word) ?? []
    const port = Number(number)
    return port >= 1 && port <= highestPort ? [port] : []
  })
}

/** A JSON list, or words. */
function pathsOf(text: string): string[] {
  return [...text.matchAll(/\/[^\s"',[\]]+/g)].map(([path]) => path)
}
