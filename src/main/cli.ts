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
    onInterrupt(listener) {
      process.on('SIGINT', listener)
      return () => void process.off('SIGINT', listener)
    },
  })
}

/** Beside `dist/` in the clone; `src/main/` is one step deeper. */
function launcher(): string {
  const up = import.meta.filename.endsWith('.ts') ? '../..' : '..'
  return join(import.meta.dirname, up, 'bin/start.mjs')
}

/** A reader that has seen enough (`rack ps | head`) is no failure. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}

process.exitCode = await main()
// Idle connections would hold the program for a while; what was written to a pipe must still leave.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
