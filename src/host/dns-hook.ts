import { execFile } from 'node:child_process'
import { constants } from 'node:fs/promises'
import { isAbsolute } from 'node:path'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { isThere } from '../lib/files.ts'

const hookMs = 10 * 60_000
const mostOutput = 64 * 1024
const mostSaid = 300

/** Whether the daemon could start it: it is named whole, and there. */
export async function isProgram(path: string): Promise<boolean> {
  return isAbsolute(path) && (await isThere(path, constants.X_OK))
}

/**
 * Calls `PROGRAM present|cleanup NAME VALUE`, as somebody's script for their DNS expects it; it ends with 0 once the record
 * is seen, or gone. It gets none of the rack's variables: those may hold secrets.
 * @throws host-failed with the last line that it has said
 */
export function dnsHookOf(program: string) {
  return async (
    step: 'present' | 'cleanup',
    { name, value }: { name: string; value: string },
    { signal }: Control,
  ): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { PATH = '', HOME = '/', LANG = 'C' } = process.env
    const options = { signal, timeout: hookMs, maxBuffer: mostOutput, env: { PATH, HOME, LANG } }
    const child = execFile(program, [step, name, value], options, (error, stdout, stderr) => {
      if (error) reject(failed(program, step, error, stderr || stdout))
      else resolve()
    })
    child.stdin?.end()
    try {
      await promise
    } catch (error) {
      signal.throwIfAborted()
      throw error
    }
  }
}

function failed(program: string, step: string, error: Error, said: string): RackError {
  const { code, killed } = error as { code?: number | string; killed?: boolean }
  const why = killed === true ? `has not ended in ${hookMs / 60_000} min` : `ended with ${code ?? 'a signal'}`
  const last = said.trim().split('\n').at(-1)!.slice(0, mostSaid)
  return new RackError('host-failed', `${program} ${step} ${why}${last === '' ? '' : `: ${last}`}`, {
    hint: `Try it by hand: ${program} ${step} _acme-challenge.example.com value`,
    cause: error,
  })
}
