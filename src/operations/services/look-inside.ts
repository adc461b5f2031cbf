import type { Control } from '../../domain/control.ts'
import { RackError } from '../../domain/error.ts'
import {
  loginHolder,
  type AppLink,
  type Service,
  type ServiceRun,
  type ServiceVersion,
} from '../../domain/service.ts'
import { DeadlineError, withDeadline } from '../../lib/deadline.ts'
import { program } from '../../services/inside.ts'
import type { Inside } from '../../services/service-type.ts'
import { findServiceType } from '../../services/service-types.ts'
import type { Context } from '../context.ts'
import { runInside } from './run-inside.ts'
import type { ServiceData, ServiceInside } from './service-info.ts'

/** Whoever wants to see a service that hangs shall see the rest of it. */
const deadlineMs = 5000

/** What a service that runs tells of itself now; what it does not tell in time is null. */
export async function lookInside(
  context: Context,
  { service, run, copy, links }: { service: Service; run: ServiceRun; copy: string; links: AppLink[] },
  control: Control,
): Promise<ServiceInside> {
  const type = findServiceType(service.type)
  const ask = async (inside: Inside | null | undefined): Promise<string | null> =>
    inside ? await answerOf(context, copy, inside, control) : null
  const du = run.dataPaths.length > 0 ? program(['du', '-sk', ...run.dataPaths]) : null
  const logins = type?.logins?.hasOwnData ? type.logins : null
  const [sizes, connections, names, versions] = await Promise.all([
    ask(du),
    ask(type?.connections),
    ask(logins?.listData),
    context.store.services.versions(service.name),
  ])
  return {
    bytes: sizes === null ? null : bytesOf(sizes),
    connections: numberOf(connections),
    data: names === null ? null : dataOf(names, versions, links),
  }
}

/** Why what an account runs is of no use, such as that somebody has deleted it there; null where it takes a login. */
export async function refusalOf(
  { engine }: Context,
  copy: string,
  ready: Inside,
  control: Control,
): Promise<string | null> {
  const within = { deadlineMs, what: 'what the account runs to answer', signal: control.signal }
  try {
    await withDeadline(within, (signal) => runInside(engine, copy, { inside: ready }, { ...control, signal }))
    return null
  } catch (error) {
    control.signal.throwIfAborted()
    if (!(error instanceof RackError) && !(error instanceof DeadlineError)) throw error
    return error.message
  }
}

async function answerOf(
  { engine }: Context,
  copy: string,
  inside: Inside,
  control: Control,
): Promise<string | null> {
  const within = { deadlineMs, what: 'the service to tell', signal: control.signal }
  try {
    return await withDeadline(within, (signal) => runInside(engine, copy, { inside }, { ...control, signal }))
  } catch (error) {
    control.signal.throwIfAborted()
    if (error instanceof RackError || error instanceof DeadlineError) return null
    throw error
  }
}

/** `12<tab>/data` a line, in kilobytes. */
function bytesOf(text: string): number | null {
  const sizes = text.split('\n').map((line) => Number.parseInt(line, 10))
  return sizes.some(Number.isNaN) ? null : sizes.reduce((sum, size) => sum + size, 0) * 1024
}

function numberOf(text: string | null): number | null {
  return text !== null && /^\d+$/.test(text) ? Number(text) : null
}

/** Each database, and the links that have it today. */
function dataOf(names: string, versions: ServiceVersion[], links: AppLink[]): ServiceData[] {
  const linked = new Set(links.map(({ version }) => version))
  return names
    .split('\n')
    .filter(Boolean)
    .map((name) => {
      const isUsed = ({ version, login }: ServiceVersion) => linked.has(version) || login?.app === ''
      const own = versions.filter((each) => isUsed(each) && each.login?.data === name)
      return { name, links: [...new Set(own.map(({ login }) => loginHolder(login!)))] }
    })
}
