import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { runsHere } from '../../../domain/service.ts'
import type { DataCare, Inside, NativeDump } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { namesIn } from '../backup/dump-service.ts'
import { refuseWithheld } from '../managed.ts'
import { runInside, type InsideStreams } from '../run-inside.ts'
import { findRunning, type RunningService } from '../running-service.ts'
import { findService } from '../services.ts'

export interface FoundDump extends RunningService {
  native: NativeDump
  data: DataCare
  /** Empty where the type has none. */
  database: string
  /** How people call what is meant: `shop_db of main`, `main`. */
  what: string
}

/**
 * What is exported or imported: a service of a type that can, and which of its databases.
 * @throws unsupported; not-found; conflict while it does not run; usage where it has several databases and none is named
 */
export async function findDump(
  context: Context,
  name: string,
  { verb, database }: { verb: 'export' | 'import'; database: string | null },
  control: Control,
): Promise<FoundDump> {
  await refuseWithout(context, name, verb)
  const found = await findRunning(context, name, verb, control)
  const { type, copy } = found
  const [native, data] = [type.native as NativeDump, type.data!]
  if (!data.list) {
    if (database !== null)
      throw new RackError('usage', `a ${type.name} has no databases: leave --database out`)
    return { ...found, native, data, database: '', what: name }
  }
  const names = await namesIn({ engine: context.engine, copy, data }, control)
  const chosen = choose({ service: name, verb, native }, names, database)
  return { ...found, native, data, database: chosen, what: `${chosen} of ${name}` }
}

/** Runs one of its commands. @throws service-failed, with the administrator's password masked */
export async function runDump(
  context: Context,
  { service, copy }: FoundDump,
  { inside, streams = {} }: { inside: Inside; streams?: InsideStreams },
  control: Control,
): Promise<string> {
  const run = await context.store.services.run(service.name)
  const variables = Object.entries(run?.environment ?? {})
  const own = variables.flatMap(([variable, value]) => (variable.includes('PASS') ? value : []))
  const secrets = [...inside.secrets, ...own]
  return await runInside(context.engine, copy, { inside: { ...inside, secrets }, streams }, control)
}

async function refuseWithout(context: Context, name: string, verb: string): Promise<void> {
  const service = await findService(context, name)
  const run = await context.store.services.run(name)
  refuseWithheld(service, run?.managed !== undefined, verb)
  const native = findServiceType(service.type)?.native ?? `it is of the type ${service.type}`
  const isHere = runsHere(service)
  if (isHere && typeof native !== 'string') return
  const why = typeof native === 'string' && isHere ? native : 'somebody else runs it'
  const hint = isHere ? undefined : `Its own tools do that, by its URL: rack services url ${name} --reveal`
  throw new RackError('unsupported', `${name} has no ${verb}: ${why}`, {
    hint,
    details: { service: name, type: service.type },
  })
}

interface Asked {
  service: string
  verb: string
  native: NativeDump
}

/** @throws usage where none is named and there are several; not-found */
function choose({ service, verb, native }: Asked, names: string[], asked: string | null): string {
  const list = names.join(', ')
  if (asked !== null) {
    if (names.includes(asked)) return asked
    throw new RackError('not-found', `${service} has no database "${asked}"`, {
      hint: `${list ? `It has ${list}. ` : ''}A link makes one, and so does a statement: rack services console ${service}`,
    })
  }
  const own = names.filter((name) => name !== native.first)
  const only = own.length === 0 ? native.first : own.length === 1 ? own[0]! : undefined
  if (only === null) {
    throw new RackError('not-found', `${service} has no database yet`, {
      hint: `A link makes one, and so does a statement: rack services console ${service}`,
    })
  }
  if (only !== undefined) return only
  throw new RackError('usage', `${service} has several databases: ${list}`, {
    hint: `Say which: rack services ${verb} ${service} --database ${own[0]}`,
  })
}
