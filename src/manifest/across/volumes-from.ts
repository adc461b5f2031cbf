import type { TypeMount } from '../../domain/container.ts'
import { cycleOf, rejectAbsent, type Across } from './across.ts'
import type { PlacedProcess } from '../keys/process.ts'
import { mostMounts } from '../keys/mounts/volumes.ts'
import type { Problems } from '../problems.ts'
import type { Node } from '../syntax/tree.ts'

interface Taking extends Across {
  byName: Map<string, PlacedProcess>
  /** The way here, in order. */
  open: Set<string>
  finished: Set<string>
}

/** Gives a process the mounts of those that its `volumes_from:` names; its own win. */
export function takeVolumes(across: Across): void {
  const byName = new Map(across.processes.map((placed) => [placed.type.name, placed]))
  const taking: Taking = { ...across, byName, open: new Set(), finished: new Set() }
  for (const { type } of across.processes) takeFor(type.name, taking)
}

/** Those that are taken from come first, since they may take volumes themselves. */
function takeFor(name: string, taking: Taking): void {
  const placed = taking.byName.get(name)
  if (!placed || taking.finished.has(name)) return
  const { type, volumesFrom } = placed
  const mounts = new Map(type.mounts.map((mount) => [mount.path, mount]))
  const taken = new Set<string>()
  taking.open.add(name)
  for (const { value, at } of volumesFrom) {
    const { target, readOnly } = value
    if (taken.has(target)) continue
    taken.add(target)
    if (closesLoop(target, at, taking)) continue
    takeFor(target, taking)
    for (const mount of mountsToTake(target, at, taking)) {
      if (!mounts.has(mount.path)) mounts.set(mount.path, readOnly ? { ...mount, readOnly } : mount)
    }
  }
  if (mounts.size > mostMounts)
    taking.problems.error(placed.entry.key, `a process has at most ${mostMounts} mounts`)
  type.mounts = inOrder([...mounts.values()].slice(0, mostMounts))
  taking.open.delete(name)
  taking.finished.add(name)
}

/** Directories in memory stand last, as `tmpfs:` does: the canonical file reads back the same. */
function inOrder(mounts: TypeMount[]): TypeMount[] {
  const isTmpfs = ({ kind }: TypeMount) => kind === 'tmpfs'
  return [...mounts.filter((mount) => !isTmpfs(mount)), ...mounts.filter(isTmpfs)]
}

function closesLoop(target: string, at: Node, { problems, open }: Taking): boolean {
  if (!open.has(target)) return false
  problems.error(
    at,
    `no process of this loop has volumes of its own: ${cycleOf(target, open)}`,
    'remove one `volumes_from`',
  )
  return true
}

function mountsToTake(target: string, at: Node, taking: Taking): TypeMount[] {
  const { byName, problems } = taking
  const other = byName.get(target)
  if (!other) {
    rejectAbsent(target, at, taking)
    return []
  }
  const { mounts } = other.type
  if (mounts.some(({ kind }) => kind === 'discarded'))
    problems.error(
      at,
      `a volume of "${target}" has no name, so it cannot be shared`,
      'name it there: "data:/path"',
    )
  else if (mounts.length === 0 && !isTold(other, problems))
    problems.error(
      at,
      `the process "${target}" names no volumes`,
      'name what is shared under its `volumes:`: "data:/path"',
    )
  return mounts
}

/** An error about the mounts of the other process says enough. */
function isTold({ entry }: PlacedProcess, problems: Problems): boolean {
  return ['volumes', 'volumes_from', 'tmpfs'].some((key) =>
    problems.hasErrorBelow(`${entry.key.path}.${key}`),
  )
}
