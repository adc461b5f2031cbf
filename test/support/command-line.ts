import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../bin/rack', import.meta.url))

const readsAll = '-dac_override,-dac_read_search'
const plainReader = ['setpriv', `--bounding-set=${readsAll}`, `--inh-caps=${readsAll}`]

export interface Said {
  code: number | null
  stdout: string
  stderr: string
}

export interface CommandOptions {
  env: NodeJS.ProcessEnv
  cwd?: string
  input?: string | Uint8Array
  timeoutMs?: number
  /** False takes from root what lets it read files that nobody may read. */
  mayReadAll?: boolean
}

/** Runs `rack` as a person would and settles when it has ended. */
export async function rack(args: string[], options: CommandOptions): Promise<Said> {
  return startRackCommand(args, options).said
}

/** Starts `rack` and hands out the process too, for what must be interrupted. */
export function startRackCommand(
  args: string[],
  options: CommandOptions,
): { child: ChildProcess; said: Promise<Said> } {
  const { env, cwd = process.cwd(), input, timeoutMs = 120_000 } = options
  const [command = program, ...rest] = [
    ...(options.mayReadAll === false ? plainReader : []),
    program,
    ...args,
  ]
  const child = spawn(command, rest, { env, cwd, stdio: 'pipe' })
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  const { promise, resolve, reject } = Promise.withResolvers<Said>()
  child.on('error', reject)
  child.on('close', (code) => {
    clearTimeout(timer)
    resolve({ code, stdout, stderr })
  })
  return { child, said: promise }
}
