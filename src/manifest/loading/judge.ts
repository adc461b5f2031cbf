import { directoryOf } from '../paths.ts'
import { interpolate } from '../syntax/interpolate.ts'
import { interpolateTree } from '../syntax/interpolate-tree.ts'
import { parseYaml } from '../syntax/parse-yaml.ts'
import { shapeOf, type Shaped } from '../syntax/shape.ts'
import { withBase, type MapNode } from '../syntax/tree.ts'
import { allLevels } from '../verdicts/all-keys.ts'
import { checkKeys } from '../verdicts/check-keys.ts'
import type { Loading, LoadScope } from './loading.ts'

/** One compose file to read. */
export interface ComposeFile {
  path: string
  text: string
}

/** The text as a tree of the current form; read once however often it is named. */
export function shapeFile({ path, text }: ComposeFile, base: string, loading: Loading): Shaped | null {
  const shaped = readOnce(path, text, loading)
  if (!shaped || base === directoryOf(path)) return shaped
  return { ...shaped, root: withBase(shaped.root, base) }
}

function readOnce(path: string, text: string, { problems, shaped, soFar }: Loading): Shaped | null {
  const known = shaped.get(path)
  if (known !== undefined) return known
  const parsed = parseYaml({ path, text, soFar }, problems)
  const result = parsed && shapeOf(parsed, problems)
  shaped.set(path, result)
  return result
}

/** Gives every key its verdict and every variable its value. */
export function judge(root: MapNode, { lookup }: LoadScope, loading: Loading): MapNode {
  const { problems, rulings, features, isLenient, addedText } = loading
  const fill = (text: string) => interpolate(text, lookup).text
  const judged = checkKeys(root, allLevels, { problems, rulings, features, fill })
  return interpolateTree(judged, { lookup, problems, isLenient, added: addedText })
}
