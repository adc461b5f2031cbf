import type { Control } from '../../domain/control.ts'
import { knownError, RackError } from '../../domain/error.ts'
import { reaches } from '../../domain/link-reach.ts'
import { appOwner } from '../../domain/owner.ts'
import type { PlanInput } from '../../domain/plan-input.ts'
import type { Process } from '../../domain/process.ts'
import { startedTypes, type ServiceLink } from '../../domain/service-link.ts'
import type { ServiceVersion } from '../../domain/service.ts'
import { DeadlineError, startDeadline } from '../../lib/deadline.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import { tcpProblem } from '../../lib/tcp-answers.ts'
import type { Context } from '../context.ts'
import { serviceOwner } from '../services/bring-up.ts'
import { loginsOf } from '../services/logins.ts'
import { runInside } from '../services/run-inside.ts'
import { findCopy } from '../services/running-service.ts'
import type { LinkCheck } from '../../domain/link-check.ts'
import { openFrom } from './open-from.ts'
import { processLinksOf, readLives } from './process-links.ts'

/** How many links are opened at once, so that a check is no burden. */
const atOnce = 8
/** A service across the world answers sooner. */
const deadlineMs = 15_000

/** What is to be opened. */
interface Opening extends Pick<LinkCheck, 'app' | 'alias' | 'kind' | 'target' | 'host' | 'port'> {
  /** Types that have the link; the first that runs opens it. */
  processes: string[]
  /** By which the link logs in; null where nothing is to be logged in to. */
  version: ServiceVersion | null
  service: ServiceLink | null
}

/** Opens each link of what is live from a copy that has it; a service's own client then logs in as the link does. */
export async function checkLinks(
  context: Context,
  { app }: { app?: string | undefined },
  control: Control,
): Promise<LinkCheck[]> {
  const lives = await readLives(context, app)
  const openings = (await Promise.all(lives.map((live) => openingsOf(context, live)))).flat()
  const slots = createSemaphore(atOnce)
  const check = (opening: Opening) => slots.run(() => checkOne(context, opening, control), control.signal)
  return await Promise.all(openings.map(check))
}

async function openingsOf(context: Context, input: PlanInput): Promise<Opening[]> {
  const { app, manifest, services } = input
  const started = startedTypes(manifest, services)
  const toServices = services.map(async (link): Promise<Opening[]> => {
    const { alias, service: target, address, version = '' } = link
    if (!address) return []
    const { host, port } = address
    return [
      {
        app,
        alias,
        kind: 'service',
        target,
        host,
        port,
        service: link,
        processes: started.filter((type) => reaches(link, type)).map(({ name }) => name),
        version: link.runsHere ? await context.store.services.version(target, version) : null,
      },
    ]
  })
  const toProcesses = processLinksOf(input).map(({ process: type, alias, target, port }): Opening => {
    const place = { app, alias, kind: 'process' as const, target, host: alias, port }
    return { ...place, processes: [type], version: null, service: null }
  })
  return [...(await Promise.all(toServices)).flat(), ...toProcesses]
}

async function checkOne(context: Context, opening: Opening, control: Control): Promise<LinkCheck> {
  const { app, alias, kind, target, host, port, processes } = opening
  const what = `${host}:${port}`
  using deadline = startDeadline({ deadlineMs, what, signal: control.signal })
  const own = { ...control, signal: deadline.signal }
  const found: LinkCheck = {
    app,
    alias,
    kind,
    target,
    host,
    port,
    process: processes[0] ?? null,
    from: null,
    connectMs: null,
    loginMs: null,
    problem: null,
  }
  try {
    const caller = await callerOf(context, opening, own)
    if (caller) found.process = caller.type
    const opened = caller && (await openFrom(context.engine, caller.id, { host, port }, own))
    if (opened) Object.assign(found, { from: caller.id, connectMs: opened.connectMs })
    else found.connectMs = await openHere(context, opening, own)
    return { ...found, loginMs: await logIn(context, opening, own) }
  } catch (error) {
    control.signal.throwIfAborted()
    const late = deadline.signal.aborted && deadline.signal.reason instanceof DeadlineError
    const problem = late ? `no answer within ${deadlineMs / 1000} s` : knownError(error).message
    return { ...found, problem }
  }
}

async function callerOf(
  { engine }: Context,
  { app, processes }: Opening,
  control: Control,
): Promise<Process | null> {
  const all = await engine.processes({ owner: appOwner(app) }, control)
  const isReady = ({ kind, status }: Process) => kind === 'process' && status === 'running'
  const ready = all.filter(isReady)
  return processes.flatMap((type) => ready.filter((each) => each.type === type))[0] ?? null
}

/** Where no process can: by the rack. @returns milliseconds; @throws unreachable */
async function openHere(context: Context, opening: Opening, control: Control): Promise<number> {
  const { app, kind, target, host, port, service } = opening
  const begun = performance.now()
  if (kind === 'service' && !service?.runsHere) {
    // What another rack shares has the link's name inside the app alone.
    const end = service?.address?.end ?? { host, port }
    const problem = await tcpProblem(end, { deadlineMs, signal: control.signal })
    if (problem !== null) throw new RackError('unreachable', `${end.host}:${end.port}: ${problem}`)
    return performance.now() - begun
  }
  const type = service && (await context.store.services.get(target))?.type
  const address = type
    ? { owner: serviceOwner(target), host: type, port }
    : { owner: appOwner(app), host: target, port }
  const connection = await context.engine.connect(address, control)
  connection.close()
  return performance.now() - begun
}

/** As the link does, by the service's own client. @returns milliseconds; null where there is nothing to log in to */
async function logIn(
  context: Context,
  { target, version, service }: Opening,
  control: Control,
): Promise<number | null> {
  if (!service || !version?.login) return null
  const found = await context.store.services.get(target)
  const logins = found && loginsOf(found)
  if (!logins) return null
  const copy = await findCopy(context, target, control)
  const begun = performance.now()
  const inside = logins.prove({ ...version.login, password: version.address.password })
  await runInside(context.engine, copy, { inside }, control)
  return performance.now() - begun
}
