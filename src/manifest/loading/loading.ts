import type { EngineFeatures } from '../../domain/features.ts'
import type { ManifestSource } from '../../domain/manifest.ts'
import type { VariableFiles } from '../keys/files/variable-files.ts'
import { baseOf } from '../paths.ts'
import type { ReadSoFar } from '../syntax/read-documents.ts'
import type { Shaped } from '../syntax/shape.ts'
import { mostRepeated, weightOf, type Node } from '../syntax/tree.ts'
import type { Problems } from '../problems.ts'
import type { Lookup } from '../syntax/interpolate.ts'
import type { Ruling } from '../verdicts/check-keys.ts'

/** The reading of one app's files: what it reads from, and what it has met so far. */
export interface Loading {
  source: ManifestSource
  problems: Problems
  features: EngineFeatures
  rulings: Ruling[]
  /** Lets `${V:?}` pass with a warning: the value may still come. */
  isLenient: boolean
  /** Text that variables added so far. */
  addedText: { length: number }
  variableFiles: VariableFiles
  /** The weight of what `extends` and `include` repeated so far. */
  repeated: number
  /** What has been read of YAML. */
  soFar: ReadSoFar
  /** Every further text that was asked for, whether it is there or not. */
  wanted: Set<string>
  /** Files read, the same one again included: bounds what includes can unfold to. */
  filesRead: number
  /** Files as they were read, before variables; by path. */
  shaped: Map<string, Shaped | null>
}

/** One file, or several that are merged, in the midst of others. */
export interface LoadScope {
  /** What `${VAR}` reads. */
  lookup: Lookup
  /** The directory from which relative paths start, from the source directory. */
  base: string
  /** The files that include this one, outermost first. */
  within: string[]
}

/** The text of a file that a compose file names; undefined when the source has none of that path. */
export function furtherText({ source, wanted }: Loading, path: string): string | undefined {
  const given = source.files.find((file) => file.path === path)
  if (given) return given.text
  wanted.add(path)
  return Object.hasOwn(source.texts, path) ? source.texts[path] : undefined
}

/** Counts what is read once more; false when it comes to too much, which is said once. */
export function mayRepeat(again: Node, at: Node, loading: Loading): boolean {
  const before = loading.repeated
  if (before <= mostRepeated) loading.repeated += weightOf(again)
  if (loading.repeated <= mostRepeated) return true
  if (before <= mostRepeated)
    loading.problems.error(at, 'what `extends` and `include` repeat comes to too many values')
  return false
}

/** What to look at when a file that another one names is not there. */
export function whereFrom(at: Node): string {
  const base = baseOf(at)
  return `is the path right? it starts in ${base === '.' ? 'the source directory' : JSON.stringify(base)}`
}
