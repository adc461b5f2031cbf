import { ownerKey, type Owner } from '../../../domain/owner.ts'
import type { CopyMark } from '../../../rollout/runtime.ts'

/** `<rack>-<owner>`, the network of an app or of a service: `rack-shop`, `rack-_db`. */
export function networkName(rack: string, owner: Owner): string {
  return `${rack}-${ownerKey(owner)}`
}

/** What the addresses of an owner's network are kept under. */
export function networkKey(owner: Owner): string {
  return ownerKey(owner)
}

/** `<rack>-<owner>-<type>-<id>`. */
export function containerName(rack: string, owner: Owner, type: string, processId: string): string {
  return `${rack}-${ownerKey(owner)}-${type}-${processId.toLowerCase()}`
}

/**
 * What the rack has decided of a copy is the end of its container's name: labels cannot change, a name can, at once and
 * for good. No name of a rack, an owner or a type has a dot.
 */
const suffixes: Record<Exclude<CopyMark, 'proved' | 'draining'>, string> = {
  unproved: '.new',
  completed: '.completed',
  parked: '.parked',
}
const drainingSuffix = '.draining-'

/** The name of a copy with a mark; one that drains says since when. */
export function markedName(base: string, mark: CopyMark, nowMs: number): string {
  if (mark === 'proved') return base
  return base + (mark === 'draining' ? `${drainingSuffix}${nowMs.toString(36)}` : suffixes[mark])
}

/** Reads a container's name as Docker gives it, or as `markedName` makes it. */
export function readMark(name: string): { base: string; mark: CopyMark; sinceMs: number | null } {
  const plain = name.replace(/^\//, '')
  const dot = plain.indexOf('.')
  if (dot < 0) return { base: plain, mark: 'proved', sinceMs: null }
  const [base, suffix] = [plain.slice(0, dot), plain.slice(dot)]
  if (suffix.startsWith(drainingSuffix)) {
    return { base, mark: 'draining', sinceMs: Number.parseInt(suffix.slice(drainingSuffix.length), 36) }
  }
  const [mark] = Object.entries(suffixes).find(([, own]) => own === suffix) ?? ['proved']
  return { base, mark: mark as CopyMark, sinceMs: null }
}

/** `<rack>-<owner>-<volume>`. */
export function volumeName(rack: string, owner: Owner, volume: string): string {
  return `${rack}-${ownerKey(owner)}-${volume}`
}
