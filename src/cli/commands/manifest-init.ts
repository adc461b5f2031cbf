import { join, resolve } from 'node:path'
import { RackError } from '../../domain/error.ts'
import type { StarterInput } from '../../manifest/starter/starter.ts'
import type { CommandSpec } from '../command-spec.ts'

/** `rack manifest init`. */
export const init: CommandSpec = {
  name: 'init',
  arguments: '[directory]',
  summary: 'write a first compose file, from a Procfile or a Dockerfile',
  description: [
    'Each line of a Procfile becomes a process: web takes traffic, release runs before it moves. Without a Procfile',
    'there is one process, web, with the ports that the Dockerfile names under EXPOSE. PORT of .env goes before them.',
    'Comments in the file say what else there is. Needs no rack.',
  ].join('\n'),
  examples: ['manifest init', 'manifest init app --stdout', 'manifest init --force'],
  options: [
    { flags: '--stdout', meaning: 'print the file, and write nothing' },
    { flags: '--force', meaning: 'replace a compose file that is there' },
  ],
  needs: 'nothing',
  async run({ args, options, output, isJson, world }) {
    const isPrinted = options.flag('stdout')
    const directory = resolve(world.cwd, args[0] ?? '.')
    const path = await targetIn(directory, isPrinted || options.flag('force'))
    const { input, from, processes } = await readInput(directory)
    const { starterFile } = await import('../../manifest/starter/starter.ts')
    const text = starterFile(input)
    if (!isPrinted) {
      const { writeFileAtomically } = await import('../../lib/atomic-file.ts')
      await writeFileAtomically(join(directory, path), text)
    }
    if (isJson) return output.json({ path: isPrinted ? null : path, from, processes, text })
    if (isPrinted) return output.data(text)
    const next = args[0] === undefined ? '' : ` ${args[0]}`
    output.say(`${path} is written, from the ${from}: ${processes.join(', ')}`)
    if (input.dockerfile === null) output.say('It is built from a Dockerfile, which is still to be written.')
    output.say(`Look at it, then: rack manifest check${next}, rack deploy${next}`)
  },
}

/** The name of the file to write. @throws exists; usage when there is no such directory */
async function targetIn(directory: string, mayReplace: boolean): Promise<string> {
  const { readdir } = process.getBuiltinModule('node:fs/promises')
  const names = await readdir(directory).catch((cause: Error) => {
    throw new RackError('usage', `${directory} cannot be read: ${cause.message}`, {
      hint: 'rack manifest init [DIRECTORY]',
      cause,
    })
  })
  const { findComposeFile } = await import('../../manifest/files.ts')
  const found = findComposeFile(names)
  if (found === null || mayReplace) return found ?? 'docker-compose.yml'
  throw new RackError('exists', `${found} is there already`, {
    hint: 'rack manifest check looks at it; rack manifest init --force replaces it, --stdout only prints',
  })
}

/** What lies behind is left out: it is a first file, made of what a person wrote. */
const largestTextBytes = 1024 * 1024

interface Found {
  input: StarterInput
  from: 'Procfile' | 'Dockerfile'
  /** Their names. */
  processes: string[]
}

/** What the directory has to make a file from. @throws manifest-missing, invalid */
async function readInput(directory: string): Promise<Found> {
  const { openNamedFiles } = await import('../source/named-files.ts')
  const named = openNamedFiles(directory)
  const read = (name: string) => named.read(name, largestTextBytes)?.toString('utf8') ?? null
  const [procfileText, dockerfileText, dotenv] = [read('Procfile'), read('Dockerfile'), read('.env')]
  const dockerfile = dockerfileText === null ? null : await dockerfileOf(dockerfileText)
  const port = await portOf(dotenv ?? '')
  if (procfileText !== null) {
    const procfile = await procfileOf(procfileText)
    const processes = procfile.processes.map(({ name }) => name)
    return { input: { procfile, dockerfile, port }, from: 'Procfile', processes }
  }
  if (dockerfile)
    return { input: { procfile: null, dockerfile, port }, from: 'Dockerfile', processes: ['web'] }
  throw new RackError('manifest-missing', `${directory} has neither a Procfile nor a Dockerfile`, {
    hint: 'Write a Procfile, such as "web: node server.js", or a Dockerfile; then: rack manifest init',
  })
}

async function dockerfileOf(text: string) {
  const { readDockerfile } = await import('../../manifest/starter/dockerfile.ts')
  return readDockerfile(text)
}

/** @throws invalid with every line that cannot be read */
async function procfileOf(text: string) {
  const { readProcfile } = await import('../../manifest/starter/procfile.ts')
  const { faults, ...procfile } = readProcfile(text)
  const wrong = faults.map(({ line, message }) => `Procfile:${line}: ${message}`)
  if (procfile.processes.length === 0 && wrong.length === 0) wrong.push('the Procfile names no process')
  if (wrong.length === 0) return procfile
  throw new RackError('invalid', wrong.join('\n'), {
    hint: 'Write one line for each process: "web: node server.js"',
  })
}

/** PORT of `.env`, where that is a port. */
async function portOf(dotenv: string): Promise<number | null> {
  const { parseDotenv } = await import('../../lib/dotenv.ts')
  const port = Number(parseDotenv(dotenv).values.get('PORT'))
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : null
}
