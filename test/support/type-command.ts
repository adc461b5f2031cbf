import { PassThrough, Readable } from 'node:stream'
import { runCli } from '../../src/cli/run-cli.ts'
import type { World } from '../../src/cli/world.ts'
import { serveOperations, tokens } from './scripted-operations.ts'
import type { Operations } from '../../src/operations/operations.ts'

export interface Typed {
  code: number
  stdout: string
  stderr: string
}

export interface TypeOptions {
  /** The verbs of a rack that the command may call; without them no rack is known. */
  rack?: Partial<Operations>
  input?: Uint8Array[]
  cwd?: string
  env?: Record<string, string>
}

/** Runs one command line inside this program, against a rack of scripted verbs over real HTTP. */
export async function typeCommand(args: string[], options: TypeOptions = {}): Promise<Typed> {
  const { rack, env = {}, cwd = '/nowhere/guestbook', input = [] } = options
  await using server = rack ? await serveOperations(rack) : null
  const access = server ? { RACK_URL: server.url, RACK_TOKEN: tokens.write } : {}
  const [stdout, stderr] = [collectText(), collectText()]
  const world: World = {
    args,
    env: { XDG_CONFIG_HOME: '/nowhere', ...access, ...env },
    cwd,
    stdin: Readable.from(input) as unknown as World['stdin'],
    stdout: stdout.stream,
    stderr: stderr.stream,
    version: '1.2.3',
    program: { node: process.execPath, script: '/nowhere/start.mjs' },
    onInterrupt: () => () => undefined,
  }
  const code = await runCli(world)
  return { code, stdout: stdout.text(), stderr: stderr.text() }
}

function collectText(): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = new PassThrough()
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => Buffer.concat(chunks).toString(),
  }
}
