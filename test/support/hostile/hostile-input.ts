import { dockerFeatures } from '../../../src/domain/docker-features.ts'
import { awsFeatures } from '../../../src/domain/aws-features.ts'
import type { ManifestSource } from '../../../src/domain/manifest.ts'
import type { ReadOptions } from '../../../src/manifest/load-tree.ts'
import { bombs } from './bombs.ts'
import type { Corpus } from './corpus.ts'
import { mutations } from './mutations.ts'
import { Random } from './random.ts'
import { strictPolicy } from '../../../src/domain/policy.ts'

/** What the reader is given. */
export interface HostileInput {
  source: ManifestSource
  options: ReadOptions
}

/** No single text is longer, nor are all compose files together. */
const largestText = 64 * 1024

/** The input of that number: the same seed and number give the same input. */
export function hostileInput(corpus: Corpus, seed: number, number: number): HostileInput {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b))
  const base = random.pick(random.chance(0.5) ? corpus.valid : corpus.sources)
  const files = filesOf(base, random, corpus)
  const texts = textsOf(base, files, random, corpus)
  return {
    source: {
      files,
      dotenv: random.chance(0.7) ? base.dotenv : spoil(random.pick(corpus.variables), random, corpus),
      texts,
      contents: random.chance(0.8) ? base.contents : {},
    },
    options: {
      environment: environmentOf(random),
      features: random.chance(0.7) ? dockerFeatures : awsFeatures,
      lenientVariables: random.chance(0.5),
      ...(random.chance(0.2) ? { policy: { ...strictPolicy, privileged: true, binds: ['/'] } } : {}),
    },
  }
}

function filesOf(base: ManifestSource, random: Random, corpus: Corpus): ManifestSource['files'] {
  const [first] = base.files
  const files = [
    { path: first?.path ?? 'compose.yaml', text: hostileText(first?.text ?? '', random, corpus) },
  ]
  for (const file of base.files.slice(1)) {
    if (random.chance(0.5)) files.push({ path: file.path, text: spoil(file.text, random, corpus) })
  }
  if (random.chance(0.08))
    files.push({ path: 'over.yml', text: hostileText(textOf(random, corpus), random, corpus) })
  return fitting(files)
}

/** All files together are not longer than the largest text. */
function fitting(files: ManifestSource['files']): ManifestSource['files'] {
  let left = largestText
  return files.map(({ path, text }) => {
    const kept = text.slice(0, left)
    left -= kept.length
    return { path, text: kept }
  })
}

/** Files that are named by others: as they are, spoiled, or leading back to the first. */
function textsOf(
  base: ManifestSource,
  files: ManifestSource['files'],
  random: Random,
  corpus: Corpus,
): ManifestSource['texts'] {
  const texts: ManifestSource['texts'] = { ...base.texts, 'a.env': random.pick(corpus.variables) }
  if (random.chance(0.03))
    texts['a.env'] = Array.from({ length: random.below(1000) }, (_, index) => `A${index}=1`).join('\n')
  for (const { path, text } of files) texts[path] = text
  if (random.chance(0.3))
    texts['a.yml'] = random.chance(0.5) ? (files[0]?.text ?? '') : textOf(random, corpus)
  for (const path of Object.keys(texts)) {
    if (random.chance(0.1)) texts[path] = spoil(texts[path] ?? '', random, corpus)
    else if (random.chance(0.02)) delete texts[path]
  }
  return texts
}

/** Most are short, so that many can be tried; some are long, and a few are made to explode. */
function hostileText(text: string, random: Random, corpus: Corpus): string {
  const kind = random.fraction()
  if (kind < 0.02) return clip(random.pick(bombs)(1 << (6 + random.below(11)), random))
  if (kind < 0.03) return clip(spoil(grown(text, random, corpus), random, corpus))
  if (kind < 0.4) return clip(spoil(excerpt(random, corpus), random, corpus))
  return clip(spoil(text, random, corpus))
}

function excerpt(random: Random, { blocks }: Corpus): string {
  const some = Array.from({ length: 1 + random.below(3) }, () => random.pick(blocks))
  return `services:\n${some.join('\n')}`
}

function grown(text: string, random: Random, { blocks }: Corpus): string {
  const wanted = 1 << (12 + random.below(5))
  let result = text
  for (let count = 0; result.length < wanted; count += 1) {
    result += `\n${random.pick(blocks).replace(/^( *)([a-z-]+):/, `$1$2${count}:`)}`
  }
  return result
}

function spoil(text: string, random: Random, corpus: Corpus): string {
  let result = text
  for (let edits = Math.floor(8 * random.fraction() ** 3); edits > 0; edits -= 1)
    result = random.pick(mutations)(result, random, corpus)
  return clip(result)
}

function textOf(random: Random, { sources }: Corpus): string {
  return random.pick(random.pick(sources).files).text
}

function environmentOf(random: Random): Record<string, string> {
  if (random.chance(0.5)) return {}
  if (random.chance(0.05)) return { A: 'x'.repeat(1 << random.below(17)), B: '$A$A$A' }
  return { A: '${A}', B: '', DB_PASSWORD: 'p@ss', TAG: '1', 'odd name': '1', ['__proto__']: 'x' }
}

function clip(text: string): string {
  return text.slice(0, largestText)
}
