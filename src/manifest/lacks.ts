import type { Lack } from '../domain/features.ts'
import type { Place, Problems } from './problems.ts'

/** Whether the engine has what a value asks for; where not, what becomes of it is said at its place. */
export function isThere(feature: true | Lack, at: Place, wish: string, problems: Problems): boolean {
  if (feature === true) return true
  const { verdict, why } = feature
  if (verdict === 'refused') problems.error(at, `${wish} is refused: ${why}`, feature.instead)
  else if (verdict === 'translated') problems.warn(at, `${wish} becomes ${feature.into}: ${why}`)
  else if (!feature.isQuiet) problems.warn(at, `${wish} is ignored: ${why}`)
  return false
}
