import { childOf } from '../syntax/tree.ts'
import type { Shaped } from '../syntax/shape.ts'
import { applyExtends, shelfOf } from './apply-extends.ts'
import { applyIncludes } from './apply-includes.ts'
import { judge, shapeFile, type ComposeFile } from './judge.ts'
import type { Loading, Surroundings } from './loading.ts'

/** Reads one compose file by itself: keys judged, variables filled in, `include` and `extends` followed. */
export function loadFile(file: ComposeFile, surroundings: Surroundings, loading: Loading): Shaped | null {
  const shaped = shapeFile(file, surroundings.base, loading)
  if (!shaped) return null
  const judged = judge(shaped.root, surroundings, loading)
  // A process may extend one that comes with an included file.
  const whole = applyIncludes(judged, { surroundings, loading, loadFile })
  if (!whole) return null
  const shelf = shelfOf(file.path, childOf(whole, 'services'))
  return { ...shaped, root: applyExtends(whole, shelf, surroundings, loading) }
}
