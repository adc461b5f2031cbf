import { PassThrough, Readable } from 'node:stream'
import { runCli } from '../../src/cli/run-cli.ts'
import type { World } from '../../src/cli/world.ts'
import { rackRestorer } from '../../src/main/rack-restorer.ts'
import { sealingOfFiles } from '../../src/main/seal-files.ts'
import type { Door } from '../../src/operations/door.ts'
import { authenticate, serveDoor, serveOperations, tokens, type Script } from './scripted-operations.ts'

export interface Typed {
  code: number
  stdout: string
  stderr: string
  /** What the rack was asked: method and route. */
  requests: string[]
}

export interface TypeOptions {
  /** The verbs of a rack that the command may call; without them no rack is known. */
  rack?: Script
  /** Or a rack with verbs of its own, which lets the same tokens in. */
  door?: Pick<Door, 'as' | 'check'>
  input?: Uint8Array[]
  cwd?: string
  env?: Record<string, string>
  /** Is given what Ctrl-C of the person would call. */
  onListen?: (interrupt: () => void) => void
  /** Whether standard output and error are terminals. */
  isTerminal?: boolean
}

/** Runs one command line inside this program, against a rack of scripted verbs over real HTTP. */
export async function typeCommand(args: string[], options: TypeOptions = {}): Promise<Typed> {
  const { rack, door, env = {}, cwd = '/nowhere/guestbook', input = [], isTerminal = false } = options
  const { onListen = () => undefined } = options
  await using server = door
    ? await serveDoor({ ...door, authenticate })
    : rack
      ? await serveOperations(rack)
      : null
  const access = server ? { RACK_URL: server.url, RACK_TOKEN: tokens.write } : {}
  const [stdout, stderr] = [collectText(isTerminal), collectText(isTerminal)]
  const listen = (listener: () => void) => {
    onListen(listener)
    return () => undefined
  }
  const world: World = {
    args,
    env: { XDG_CONFIG_HOME: '/nowhere', ...access, ...env },
    cwd,
    stdin: Readable.from(input) as unknown as World['stdin'],
    stdout: stdout.stream,
    stderr: stderr.stream,
    version: '1.2.3',
    program: { node: process.execPath, script: '/nowhere/start.mjs' },
    onEnd: () => undefined,
    onInterrupt: listen,
    onLeave: listen,
    accountDoctor: async () => async () => [],
    restorer: async () => rackRestorer,
    sealing: async (key) => sealingOfFiles(key),
  }
  const code = await runCli(world)
  // Closed first: a request is logged when its answer has ended.
  await server?.close()
  const requests = (server?.logged ?? [])
    .filter(({ message }) => message === 'request')
    .map(({ fields }) => `${String(fields['method'])} ${String(fields['route'])}`)
  return { code, stdout: stdout.text(), stderr: stderr.text(), requests }
}

function collectText(isTerminal: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const stream = Object.assign(new PassThrough(), isTerminal ? { isTTY: true, columns: 120 } : {})
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    text: () => Buffer.concat(chunks).toString(),
  }
}
