import type { Reply } from '../../client/client-types.ts'
import { describeLack } from '../../domain/app-health.ts'
import { formatDuration } from '../../lib/sizes.ts'

/** What the rack says that a type lacks. */
export type Lack = Reply<'listApps'>[number]['lacks'][number]

/** What an app lacks of its copies, a line for each type, and what is in the way of bringing them back. */
export function describeLacks({ name, lacks }: { name: string; lacks: Lack[] }): string[] {
  return lacks.map((lack) => `${name} is degraded: ${describeTrouble(lack)}`)
}

/** @param nowMs what `nextTry` is compared with */
export function describeTrouble(lack: Lack, nowMs = Date.now()): string {
  const { trouble, nextTry } = lack
  const said = describeLack(lack)
  if (!trouble) return said
  const waitMs = nextTry === null ? 0 : Date.parse(nextTry) - nowMs
  const next = waitMs > 0 ? `tried again in ${formatDuration(waitMs)}` : 'being tried again'
  return `${said}; ${next}, since ${trouble.message}`
}
