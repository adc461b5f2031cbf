/** A copy that the name of its type may lead to. */
export interface NamedCopy {
  /** Process id. */
  process: string
  type: string
  address: string
}

/** Where the names of one owner lead. */
export interface Leading {
  copies: NamedCopy[]
  /** Callers that are led elsewhere than the rest, while a rollout goes on: what is new meets what is new. */
  early: { callers: NamedCopy[]; copies: NamedCopy[] }
  /** Types whose callers wait until then, ms of the epoch, while there is no copy: one is due. */
  held: { type: string; untilMs: number }[]
}

export const leadsNowhere: Leading = { copies: [], early: { callers: [], copies: [] }, held: [] }

/** To these copies; a name that none of them has leads where it led: who drains may still call what is no more. */
export function movedTo({ copies: before }: Leading, copies: NamedCopy[]): Leading {
  const types = new Set(typesOf(copies))
  return { ...leadsNowhere, copies: [...copies, ...before.filter(({ type }) => !types.has(type))] }
}

/** With one more copy behind its type's name. */
export function withCopy(leading: Leading, copy: NamedCopy): Leading {
  const others = leading.copies.filter((other) => other.process !== copy.process)
  return { ...leading, copies: [...others, copy] }
}

/** Without these; their types hold callers for a while where none is left. @param holdMs 0 refuses them at once */
export function withoutCopies(leading: Leading, processes: string[], holdMs: number, nowMs: number): Leading {
  const stays = (copy: NamedCopy) => !processes.includes(copy.process)
  const { callers, copies: ahead } = leading.early
  const copies = leading.copies.filter(stays)
  const left = leading.copies.filter(
    (copy) => !stays(copy) && !copies.some((other) => other.type === copy.type),
  )
  const held = holdMs === 0 ? [] : typesOf(left).map((type) => ({ type, untilMs: nowMs + holdMs }))
  return {
    copies,
    early: { callers: callers.filter(stays), copies: ahead.filter(stays) },
    held: [...leading.held.filter(({ type }) => !held.some((other) => other.type === type)), ...held],
  }
}

/** With callers of these waiting for a first copy, where there is none. */
export function withFirstAwaited(
  leading: Leading,
  types: { type: string; holdMs: number }[],
  nowMs: number,
): Leading {
  const known = new Set([...typesOf(leading.copies), ...leading.held.map(({ type }) => type)])
  const held = types
    .filter(({ type, holdMs }) => holdMs > 0 && !known.has(type))
    .map(({ type, holdMs }) => ({ type, untilMs: nowMs + holdMs }))
  return held.length === 0 ? leading : { ...leading, held: [...leading.held, ...held] }
}

/** With a caller that meets these copies alone, where their names lead to others still. */
export function withEarly(leading: Leading, caller: NamedCopy, copies: NamedCopy[]): Leading {
  const { early } = leading
  const known = early.copies.filter((copy) => !copies.some((other) => other.process === copy.process))
  return { ...leading, early: { callers: [...early.callers, caller], copies: [...known, ...copies] } }
}

export function typesOf(copies: NamedCopy[]): string[] {
  return [...new Set(copies.map(({ type }) => type))]
}
