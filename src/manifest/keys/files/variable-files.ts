import type { ManifestSource } from '../../../domain/manifest.ts'
import type { Problems } from '../../problems.ts'
import { parseDotenv, reportDotenv, type DotenvOptions } from '../../syntax/dotenv.ts'
import type { Lookup } from '../../syntax/interpolate.ts'
import { shownPart } from '../../syntax/tree.ts'
import type { NamedFile } from './named-files.ts'

/** What all processes and includes together may take from such files, the same one again included: bounds the work. */
const mostTaken = 20_000

/** Characters that take as long to read as one variable. */
const textOfOne = 100

/** Variables that take as long to read as a file of none. */
const costOfFile = 15

/** A file of variables, and what it is read with. */
export interface VariableText extends NamedFile, DotenvOptions {
  lookup: Lookup
}

/** One that a process names under `env_file:` or `label_file:`. */
export interface VariableFile extends VariableText {
  /** What to do when the file is not there; null when it may be absent. */
  whenMissing: string | null
}

/** Reads the files of variables of one app. */
export class VariableFiles {
  readonly #texts: ManifestSource['texts']
  readonly #problems: Problems
  #taken = 0

  constructor({ texts }: ManifestSource, problems: Problems) {
    this.#texts = texts
    this.#problems = problems
  }

  /** The variables of a file by name; none after saying why it cannot be read. */
  read(file: VariableFile): ReadonlyMap<string, string> {
    const text = this.#textOf(file)
    return text === undefined ? new Map() : this.readText(text, file)
  }

  /** The variables of a text by name; none once too many have been read. */
  readText(text: string, file: VariableText): ReadonlyMap<string, string> {
    if (!this.#take(costOfFile + text.length / textOfOne, file)) return new Map()
    const read = parseDotenv(text, file.lookup, file)
    reportDotenv(read, { file: file.path, path: file.at.path }, this.#problems)
    return this.#take(read.work, file) ? read.values : new Map()
  }

  #textOf({ path, at, whenMissing }: VariableFile): string | undefined {
    if (Object.hasOwn(this.#texts, path)) return this.#texts[path]
    if (whenMissing !== null)
      this.#problems.error(at, `the file ${shownPart(at, path)} does not exist`, whenMissing)
    return undefined
  }

  #take(amount: number, { at }: NamedFile): boolean {
    const hadRoom = this.#taken <= mostTaken
    this.#taken += amount
    if (this.#taken <= mostTaken) return true
    if (hadRoom)
      this.#problems.error(
        at,
        'too many variables are taken from files',
        'name a file only where its variables are needed',
      )
    return false
  }
}
