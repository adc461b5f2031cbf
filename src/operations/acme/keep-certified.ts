import { certificateFor } from '../../domain/certificate.ts'
import { isOrderable, orderTime, retryDelayMs, type AcmeAccount } from '../../domain/certificate-order.ts'
import type { Control } from '../../domain/control.ts'
import { codeOf, knownError, RackError } from '../../domain/error.ts'
import { AcmeProblem } from '../../lib/acme/acme-problem.ts'
import { DeadlineError, startDeadline } from '../../lib/deadline.ts'
import { pause } from '../../lib/poll.ts'
import type { Context } from '../context.ts'
import { carryOutOrder, orderAt } from './carry-out-order.ts'
import { letGo, withdrawChallenge } from './challenges.ts'
import { failureOf } from './order-failure.ts'
import { writtenDown, type Flow } from './order-flow.ts'
import { registerAccount } from './register-account.ts'

const periodMs = 1000
const mostAtOnce = 4
/** A program for the DNS may wait for minutes until a record is seen everywhere. */
const orderDeadlineMs = 15 * 60_000

/** Orders that are worked at here, by host. */
interface Work {
  isAt(name: string): boolean
  isFull(): boolean
  begin(name: string, working: Promise<void>): void
  ended(): Promise<void>
}

/**
 * Sees to it that every public host has a certificate that holds, until the signal ends: orders what is missing or due,
 * and goes on with what a dead daemon has begun. What fails takes nothing away, and is tried again later.
 */
export async function keepCertified(context: Context, control: Control): Promise<void> {
  const work = openWork(context, control)
  let isTold = false
  while (!control.signal.aborted) {
    try {
      await beginDue(context, work, control)
      isTold = false
    } catch (error) {
      if (!isTold && !control.signal.aborted)
        context.log('error', 'certificates cannot be seen to', { reason: knownError(error).message })
      isTold = true
    }
    await pause(periodMs, control.signal).catch(() => undefined)
  }
  await work.ended()
}

function openWork(context: Context, { signal }: Control): Work {
  const running = new Map<string, Promise<void>>()
  const tell = (name: string, error: unknown) => {
    if (signal.aborted || codeOf(error) === 'cancelled') return
    context.log('error', `what became of the certificate for ${name} is not kept`, {
      reason: knownError(error).message,
    })
  }
  return {
    isAt: (name) => running.has(name),
    isFull: () => running.size >= mostAtOnce,
    begin(name, working) {
      const ended = working.catch((error: unknown) => tell(name, error))
      running.set(
        name,
        ended.finally(() => running.delete(name)),
      )
    },
    ended: async () => void (await Promise.all(running.values())),
  }
}

async function beginDue(context: Context, work: Work, control: Control): Promise<void> {
  const { orders, certificates, host } = context
  const account = orders.account()
  if (account !== null && !host.servesTls) return
  const now = context.now()
  const wanted = account === null ? new Set<string>() : await wantedNames(context, account)
  letGoUnwanted(context, { wanted, work }, control)
  if (account === null) return
  await removeUnwanted(context, wanted, now)
  const isQuiet = orders.quietUntil(now) !== null
  for (const name of wanted) {
    if (work.isAt(name)) continue
    if (work.isFull()) return
    const certificate = certificateFor(name, certificates.kept(), now)
    const order = orders.order(name)
    const due = orderTime({ name, certificate, order, wanted, authority: account }, now)
    if (due === null && order) work.begin(name, letGo({ context, name, control }))
    if (due === null || due > now || isQuiet) continue
    work.begin(name, carryOut(context, { name, account }, control))
  }
}

/** Hosts that are to have a certificate of the authority, where no other one does for them. */
export async function wantedNames(
  { domains, host, rack }: Context,
  authority: AcmeAccount,
): Promise<ReadonlySet<string>> {
  const own = host.dnsHook ? [`*.${rack.domain}`] : []
  const names = [...domains.current().map(({ name }) => name), ...own, ...(await host.names())]
  return new Set(names.filter((name) => isOrderable(name, authority)))
}

/** Orders of hosts that are no more: what works at one is ended, and then it is forgotten. */
function letGoUnwanted(
  context: Context,
  { wanted, work }: { wanted: ReadonlySet<string>; work: Work },
  control: Control,
): void {
  for (const { name } of context.orders.orders()) {
    if (wanted.has(name)) continue
    if (work.isAt(name)) context.orders.end(name)
    else if (!work.isFull()) work.begin(name, letGo({ context, name, control }))
  }
}

/** Certificates of hosts that are no more, once they have expired. */
async function removeUnwanted(
  { certificates }: Context,
  wanted: ReadonlySet<string>,
  now: Date,
): Promise<void> {
  for (const { id, authority, until, names } of certificates.kept()) {
    const isOver = authority !== null && new Date(until) < now && !names.some((name) => wanted.has(name))
    if (isOver) await certificates.remove(id)
  }
}

/** What keeps it from being had is written down, with when it is tried again; of one that is wanted no more nothing is. */
async function carryOut(
  context: Context,
  { name, account }: { name: string; account: AcmeAccount },
  control: Control,
): Promise<void> {
  const { orders } = context
  const signal = AbortSignal.any([control.signal, orders.wanted(name)])
  using deadline = startDeadline({ deadlineMs: orderDeadlineMs, what: 'the authority to decide', signal })
  try {
    await orders.begin(orderAt(context, name, account))
    await carryOutOrder(context, { name, account }, { ...control, signal: deadline.signal })
  } catch (error) {
    if (signal.aborted) return
    const noting = { ...control, signal }
    await noteFailure({ context, name, control: noting }, error)
    if (!(error instanceof AcmeProblem)) return
    if (error.isOfAll(context.now())) orders.beQuiet(error.notBefore!)
    if (error.type === 'accountDoesNotExist') await registerAccount(context, account, noting)
  }
}

/** Of what the rack itself could not do: such as a program for the DNS that failed, and will not each time. */
function isPassing(error: unknown): boolean {
  if (error instanceof DeadlineError) return true
  return error instanceof RackError && error.code !== 'invalid'
}

async function noteFailure(flow: Pick<Flow, 'context' | 'name' | 'control'>, error: unknown): Promise<void> {
  const { context, name } = flow
  const now = context.now()
  const order = writtenDown(flow)
  const failed = failureOf(error, name, now)
  const failures = order.failures + 1
  const laterMs = now.getTime() + retryDelayMs(failures, Math.random())
  const next = new Date(Math.max(laterMs, failed.notBefore === null ? 0 : Date.parse(failed.notBefore)))
  // What passes is gone on with; what was refused is begun anew.
  const isOpen = error instanceof AcmeProblem ? error.isPassing : isPassing(error)
  const begun = isOpen ? {} : { url: null, key: null }
  await context.orders.change(name, { ...begun, failures, failed, next: next.toISOString() })
  context.log('warn', `there is no new certificate for ${name}`, {
    reason: failed.reason,
    next: next.toISOString(),
  })
  if (!isOpen) await withdrawChallenge(flow)
}
