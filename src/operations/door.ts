import type { AuditNote } from '../domain/audit.ts'
import { isOneOf, type Caller, type Login } from '../domain/caller.ts'
import { RackError } from '../domain/error.ts'
import { mayDo } from '../domain/token.ts'
import type { Audit } from './audit.ts'
import type { Operations } from './operations.ts'
import { verbs, type Verb, type VerbName } from './verbs.ts'

/** The one way to the verbs for who is not the rack itself. */
export interface Door {
  /** Who holds the token, or null for one that this rack does not know. @throws unauthorized for one that has expired */
  authenticate(token: string): Promise<Login | null>
  /** The verbs of this caller: each refuses what it may not do, and those that change something are told of. */
  as(caller: Caller): Operations
  /**
   * Refuses what the verb would refuse, before anything of the call is read.
   * @throws forbidden; what keeps changes away
   */
  check(caller: Caller, verb: VerbName, app: string | null): Promise<void>
}

export interface DoorParts {
  authenticate: Door['authenticate']
  /** The verbs behind the door, which ask nothing. */
  verbsFor: (caller: Caller) => Operations
  audit: Audit
  /** What keeps every verb away that changes or runs something; null while nothing does. */
  hindrance?: () => Promise<RackError | null>
}

export function createDoor({ authenticate, verbsFor, audit, hindrance }: DoorParts): Door {
  const refusalTo = async (caller: Caller, name: VerbName, app: string | null) => {
    const { audited, reads } = verbs[name] as AnyVerb
    return refusalOf(caller, name, app) ?? (audited && !reads ? ((await hindrance?.()) ?? null) : null)
  }
  return {
    authenticate,
    as(caller) {
      const bound = verbsFor(caller)
      const guarded = (Object.keys(verbs) as VerbName[]).map((name) => {
        const call = { caller, name, rule: verbs[name] as AnyVerb, verb: bound[name] as AnyCall }
        return [
          name,
          call.rule.yields === true ? passStream(call) : passPromise(audit, refusalTo, call),
        ] as const
      })
      return Object.fromEntries(guarded) as unknown as Operations
    },
    async check(caller, verb, app) {
      const refusal = await refusalTo(caller, verb, app)
      if (!refusal) return
      if (verbs[verb].audited) await audit.refused(noteOf(caller, verb, app, null), refusal)
      throw refusal
    },
  }
}

type AnyCall = (...args: unknown[]) => unknown

/** A row of the table as the door reads it, whatever its verb takes. */
type AnyVerb = Verb<(...args: unknown[]) => Promise<unknown[]>> & { yields?: true }

interface Pass {
  caller: Caller
  name: VerbName
  rule: AnyVerb
  verb: AnyCall
}

type RefusalTo = (caller: Caller, name: VerbName, app: string | null) => Promise<RackError | null>

function passPromise(audit: Audit, refusalTo: RefusalTo, { caller, name, rule, verb }: Pass): AnyCall {
  return async (...args) => {
    const app = appOf(rule, args)
    const refusal = await refusalTo(caller, name, app)
    const note = noteOf(caller, name, app, rule.subject?.(...args) ?? null)
    if (refusal) {
      if (rule.audited) await audit.refused(note, refusal)
      throw refusal
    }
    const call = async () => (await verb(...args)) as unknown[]
    const result = await (rule.audited ? audit.tell(note, call) : call())
    // What an entry has begun with is kept as it is.
    if (rule.audited && rule.found && note.subject === null)
      await audit.tell({ ...note, subject: short(rule.found(result), longestSubject) }, async () => undefined)
    if (rule.scope !== 'apps') return result
    return result.filter((item) => isOneOf(caller, rule.appOf(item)))
  }
}

function passStream({ caller, name, rule, verb }: Pass): AnyCall {
  return async function* (...args) {
    const refusal = refusalOf(caller, name, appOf(rule, args))
    if (refusal) throw refusal
    const items = verb(...args) as AsyncIterable<unknown>
    if (rule.scope !== 'apps') return yield* items
    for await (const item of items) if (isOneOf(caller, rule.appOf(item))) yield item
  }
}

function appOf(rule: AnyVerb, args: unknown[]): string | null {
  if (rule.scope === 'app') return args[0] as string
  return rule.scope === 'apps' ? (rule.asked?.(...args) ?? null) : null
}

function refusalOf(caller: Caller, name: VerbName, app: string | null): RackError | null {
  const { permission, scope } = verbs[name]
  if (!mayDo(caller.role, permission)) {
    return new RackError(
      'forbidden',
      `the token "${caller.name}" has the role ${caller.role}, and this wants ${permission}`,
      {
        hint: `Use a token with the role ${permission}: rack login URL`,
        details: { verb: name, permission },
      },
    )
  }
  const isOutside = (scope === 'rack' && caller.apps !== null) || (app !== null && !isOneOf(caller, app))
  if (!isOutside) return null
  const what =
    app === null || scope === 'rack' ? 'this is of the whole rack' : `"${app}" is not one of its apps`
  return new RackError('forbidden', `the token "${caller.name}" is for some apps only: ${what}`, {
    hint: 'Use a token for all apps: rack login URL',
    details: { verb: name, permission, app },
  })
}

function noteOf(caller: Caller, verb: VerbName, app: string | null, subject: string | null): AuditNote {
  const { source, request } = caller.origin ?? { source: null, request: null }
  const words = { app: short(app, longestName), subject: short(subject, longestSubject) }
  return { caller: caller.name, verb, ...words, source, request }
}

/** More than any name that is one, and than all names of an environment: what a body holds instead shall not fill the audit. */
const [longestName, longestSubject] = [300, 8000]

/** Says how much was left out. */
function short(text: string | null, longest: number): string | null {
  if (text === null || text.length <= longest) return text
  return `${text.slice(0, longest)}… and ${text.length - longest} letters more`
}
