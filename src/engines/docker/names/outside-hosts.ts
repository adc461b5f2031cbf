import { lookup } from 'node:dns/promises'
import type { ProcessPlan } from '../../../domain/plan.ts'
import { DeadlineError, withDeadline } from '../../../lib/deadline.ts'
import type { HostLine } from './container-hosts.ts'

/** Nobody's start waits longer for a name server. */
const deadlineMs = 3000

/**
 * The names of links to services outside, as lines of a hosts file: with the addresses that the host has now. A host that
 * cannot be looked up has no line: its own name is in the variables, and may be known to the process alone. What the
 * file says of a host goes before.
 */
export async function outsideHosts(
  { outside = [], extraHosts }: Pick<ProcessPlan, 'outside' | 'extraHosts'>,
  { signal }: { signal: AbortSignal },
): Promise<HostLine[]> {
  const said = new Set(extraHosts.map(({ host }) => host))
  const lines = outside.map(async ({ host, names }) => {
    const free = names.filter((name) => !said.has(name))
    const addresses = free.length === 0 ? [] : await addressesOf(host, signal)
    return addresses.flatMap((address) => free.map((name) => ({ host: name, address })))
  })
  return (await Promise.all(lines)).flat()
}

/** Networks of apps have addresses of version 4: others count where there are none. */
async function addressesOf(host: string, signal: AbortSignal): Promise<string[]> {
  const what = `an address of ${host}`
  try {
    const found = await withDeadline({ deadlineMs, what, signal }, () => lookup(host, { all: true }))
    const usual = found.filter(({ family }) => family === 4)
    return (usual.length > 0 ? usual : found).map(({ address }) => address)
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError || isLookup(error)) return []
    throw error
  }
}

function isLookup(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall === 'getaddrinfo'
}
