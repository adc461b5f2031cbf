import { join } from 'node:path'
import { version } from './version.ts'

/** The command line: `rack`. The commands themselves are loaded when they are typed. */
async function main(): Promise<number> {
  const args = process.argv.slice(2)
  const isPlainVersion = args.length === 1 && ['version', '--version', '-V'].includes(args[0]!)
  if (isPlainVersion) {
    process.stdout.write(`rack ${version}\n`)
    return 0
  }
  const { runCli } = await import('../cli/run-cli.ts')
  return await runCli({
    args,
    env: process.env,
    get cwd() {
      return process.cwd()
    },
    // A getter: to touch it is to open it.
    get stdin() {
      return process.stdin
    },
    stdout: process.stdout,
    stderr: process.stderr,
    version,
    program: { node: process.execPath, script: launcher() },
    onInterrupt: (listener) => listen(['SIGINT'], listener),
    onLeave: (listener) => listen(endings, listener),
    onEnd,
    restorer: async () => (await import('./rack-restorer.ts')).rackRestorer,
    accountDoctor: async () => (await import('./examine-account.ts')).examineAccount,
    sealing: async (key) => (await import('./seal-files.ts')).sealingOfFiles(key),
  })
}

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Ending = (typeof endings)[number]

/** Who acts at a signal, so that it does not end the program. */
const listeners = new Map<Ending, Set<() => void>>(endings.map((signal) => [signal, new Set()]))

function listen(signals: readonly Ending[], listener: () => void): () => void {
  for (const signal of signals) {
    listeners.get(signal)!.add(listener)
    process.on(signal, listener)
  }
  return () => {
    for (const signal of signals) {
      listeners.get(signal)!.delete(listener)
      process.off(signal, listener)
    }
  }
}

/** A signal that nobody handles ends the program at once, and calls nothing. */
function onEnd(listener: () => void): void {
  process.once('exit', listener)
  for (const signal of endings) {
    const end = () => {
      if (listeners.get(signal)!.size > 0) return
      listener()
      process.off(signal, end)
      process.kill(process.pid, signal)
    }
    process.on(signal, end)
  }
}

/** Beside `dist/` in the clone; `src/main/` is one step deeper. */
function launcher(): string {
  const up = import.meta.filename.endsWith('.ts') ? '../..' : '..'
  return join(import.meta.dirname, up, 'bin/start.mjs')
}

/** A reader that has seen enough (`rack ps | head`) is no failure; nor is a terminal that is gone for what must come to its end. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const leaving = [...listeners.get('SIGHUP')!]
    if (stream === process.stderr && leaving.length > 0 && ['EPIPE', 'EIO'].includes(error.code ?? ''))
      return leaving.forEach((leave) => leave())
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}

process.exitCode = await main()
// Idle connections would hold the program for a while; what was written to a pipe must still leave.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
