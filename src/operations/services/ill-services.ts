import { RackError } from '../../domain/error.ts'
import { isSameOwner } from '../../domain/owner.ts'
import type { Plan } from '../../domain/plan.ts'
import type { Process } from '../../domain/process.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from './bring-up.ts'

/** How long to look for them, whatever has ended the deploy. */
const lookMs = 10_000

/**
 * What a deploy has failed with, and which of the services that its processes are led to do not serve: that is why, more
 * often than not. Never rejects for want of an engine: the failure is what counts.
 */
export async function withIllServices(context: Context, plan: Plan, error: unknown): Promise<unknown> {
  if (!(error instanceof RackError) || error.code !== 'deploy-failed') return error
  const names = new Set(plan.processes.flatMap(({ services = [] }) => services.map(({ service }) => service)))
  if (names.size === 0) return error
  const control = { signal: AbortSignal.timeout(lookMs), report: () => undefined }
  const copies = await context.engine.processes({ all: true }, control).catch((cause: unknown) => {
    if (cause instanceof RackError || control.signal.aborted) return null
    throw cause
  })
  const ill = [...names].flatMap((name) => {
    const text = copies && illText(name, copies)
    return text ? [{ name, text }] : []
  })
  if (ill.length === 0) return error
  const { code, message, hint, details, requestId } = error
  const look = `See what it says: ${ill.map(({ name }) => `rack services logs ${name}`).join('; ')}`
  return new RackError(code, [message, ...ill.map(({ text }) => text)].join('\n'), {
    hint: hint === undefined ? look : `${hint}\n${look}`,
    details,
    ...(requestId !== undefined && { requestId }),
    cause: error,
  })
}

/** Null for one that serves, and was not killed for want of memory. */
function illText(name: string, copies: Process[]): string | null {
  const copy = copies.find(({ owner, kind }) => kind === 'process' && isSameOwner(owner, serviceOwner(name)))
  if (!copy) return `the service ${name}, to which it is linked, does not run`
  const isKilled = copy.detail?.includes('OOM') ?? false
  if (copy.status === 'running' && !isKilled) return null
  const why = isKilled ? 'was killed for want of memory' : 'does not serve'
  return `the service ${name}, to which it is linked, ${why}: ${copy.detail ?? copy.status}`
}
