import { childOf } from '../syntax/tree.ts'
import type { Shaped } from '../syntax/shape.ts'
import { applyExtends, shelfOf } from './apply-extends.ts'
import { applyIncludes } from './apply-includes.ts'
import { judge, shapeFile, type ComposeFile } from './judge.ts'
import type { Loading, LoadScope } from './loading.ts'

/** Reads one compose file by itself: keys judged, variables filled in, `include` and `extends` followed. */
export function loadFile(file: ComposeFile, scope: LoadScope, loading: Loading): Shaped | null {
  const shaped = shapeFile(file, scope.base, loading)
  if (!shaped) return null
  const judged = judge(shaped.root, scope, loading)
  // A process may extend one that comes with an included file.
  const whole = applyIncludes(judged, { scope, loading, loadFile })
  if (!whole) return null
  const shelf = shelfOf(file.path, childOf(whole, 'services'))
  return { ...shaped, root: applyExtends(whole, shelf, scope, loading) }
}
