import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import type { HostileInput } from './hostile-input.ts'

/** More tries than this cost more than a smaller input is worth. */
const mostTries = 3000

/** Cuts an input down while `fails` holds: whole texts first, then ever smaller parts of each. */
export function shrinkInput(input: HostileInput, fails: (input: HostileInput) => boolean): HostileInput {
  const search = { best: input, tries: 0 }
  const offer = (candidate: HostileInput): boolean => {
    search.tries += 1
    if (search.tries > mostTries || !fails(candidate)) return false
    search.best = candidate
    return true
  }
  const keeps = (change: Partial<HostileInput['source']>) =>
    offer({ ...search.best, source: { ...search.best.source, ...change } })
  offer({ ...search.best, options: { environment: {}, features: dockerFeatures } })
  keeps({ texts: {} })
  keeps({ contents: {} })
  keeps({ dotenv: null })
  for (let index = search.best.source.files.length - 1; index >= 0; index -= 1) {
    const { files } = search.best.source
    if (files.length > 1) keeps({ files: files.toSpliced(index, 1) })
  }
  for (const index of search.best.source.files.keys()) {
    const withText = (text: string) => {
      const { files } = search.best.source
      return files.map((file, at) => (at === index ? { ...file, text } : file))
    }
    const text = () => search.best.source.files[index]?.text ?? ''
    shrinkText(text, (shorter) => keeps({ files: withText(shorter) }))
  }
  return search.best
}

/** Tries to leave out halves, quarters, … of a text, first by lines and then by characters. */
function shrinkText(text: () => string, offer: (shorter: string) => boolean): void {
  for (const separator of ['\n', '']) {
    for (let size = text().split(separator).length; size >= 1; size = Math.floor(size / 2)) {
      for (let from = 0; from < text().split(separator).length;) {
        const parts = text().split(separator)
        const isShorter = offer(parts.toSpliced(from, size).join(separator))
        if (!isShorter) from += size
      }
    }
  }
}
