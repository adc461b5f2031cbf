import { execFile } from 'node:child_process'
import { RackError } from '../domain/error.ts'

type Signalled = { signal: AbortSignal }

const deadlineMs = 10_000

/** Runs `nft`, with an input where one is given; what it says. @throws host-failed */
export async function nft(words: string[], { signal }: Signalled, input?: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile(
    'nft',
    words,
    { signal, timeout: deadlineMs, maxBuffer },
    (error, stdout, stderr) => {
      if (error) reject(failed(Object.assign(error, { stderr })))
      else resolve(stdout)
    },
  )
  // A program that has ended before it read all of it says why by its own end.
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return await promise
}

/** What a table holds; nothing where it is not there. @param table with its family: `inet rack-demo` @throws host-failed */
export async function listTable(table: string, control: Signalled): Promise<string> {
  try {
    return await nft(['--stateless', 'list', 'table', ...table.split(' ')], control)
  } catch (error) {
    const { stderr = '' } = ((error as Error).cause ?? {}) as { stderr?: string }
    if (/No such file or directory/.test(stderr)) return ''
    throw error
  }
}

/** A table that is named without a body is made if it is missing, so that it can be deleted either way. */
export function absentTable(table: string): string[] {
  return [`table ${table}`, `delete table ${table}`]
}

const maxBuffer = 64 * 2 ** 20
const installHint = 'Install nftables, for example: apt-get install nftables; the rack uses it by itself then'

function failed(cause: unknown): unknown {
  const { code, stderr } = cause as { code?: string | number; stderr?: string }
  if (code === 'ABORT_ERR') return cause
  if (code === 'ENOENT') {
    return new RackError('host-failed', 'the program nft is not installed', { hint: installHint, cause })
  }
  const [first = 'it does not say why'] = (stderr ?? '').trim().split('\n')
  return new RackError('host-failed', `nft failed: ${first}`, {
    hint: 'It needs root: sudo nft list ruleset',
    cause,
  })
}
