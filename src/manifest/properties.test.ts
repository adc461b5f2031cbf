import { awsFeatures } from '../domain/aws-features.ts'
import { dockerFeatures } from '../domain/docker-features.ts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bombs } from '../../test/support/hostile/bombs.ts'
import { checkTotal } from '../../test/support/hostile/check-total.ts'
import { readCorpus } from '../../test/support/hostile/corpus.ts'
import { hostileInput } from '../../test/support/hostile/hostile-input.ts'
import { Random } from '../../test/support/hostile/random.ts'
import { describeManifest } from './describe.ts'
import { interpolate } from './syntax/interpolate.ts'

/** Generous for a busy machine; what it guards against takes minutes. The aim of 50 ms is `npm run fuzz`'s. */
const longestMs = 3000

const corpus = readCorpus()

function sourceOf(text: string, dotenv: string | null = null) {
  return { files: [{ path: 'c.yml', text }], dotenv, texts: { '.env': text }, contents: {} }
}

test('a thousand spoiled files are read or refused: nothing throws, what is printed is read as the same', () => {
  for (let number = 0; number < 1000; number += 1) {
    try {
      const { ms } = checkTotal(hostileInput(corpus, 7, number))
      assert.ok(ms < longestMs, 'it took too long')
    } catch (cause) {
      throw new Error(`seed 7, number ${number}`, { cause })
    }
  }
})

test('any text is read or refused, quickly and without throwing', () => {
  const unlike = fc.string({ unit: 'binary', maxLength: 300 })
  fc.assert(
    fc.property(unlike, fc.option(fc.string()), (text, dotenv) => {
      const { ms } = checkTotal({
        source: sourceOf(text, dotenv),
        options: {
          environment: { A: '${A}' },
          features: text.length % 3 === 0 ? awsFeatures : dockerFeatures,
          lenientVariables: text.length % 2 === 0,
        },
      })
      assert.ok(ms < longestMs)
    }),
    { numRuns: 500 },
  )
})

test('the same text gives the same answer', () => {
  for (let number = 0; number < 100; number += 1) {
    const read = () => {
      const { source, options } = hostileInput(corpus, 8, number)
      return JSON.stringify(describeManifest(source, options))
    }
    assert.equal(read(), read())
  }
})

test('interpolation is total, and the identity without a dollar', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const { text: result, fault } = interpolate(text, () => 'x')
      if (!text.includes('$')) assert.equal(result, text)
      if (fault !== null) assert.equal(result, text)
    }),
  )
  fc.assert(
    fc.property(fc.string(), (text) =>
      assert.equal(interpolate(text.replaceAll('$', '$$$$'), () => 'x').text, text),
    ),
  )
})

test('what is made to explode, to nest or to take long does none of it', () => {
  const big = 32 * 1024
  for (const [index, bomb] of bombs.entries()) {
    const source = sourceOf(bomb(big, new Random(index)).slice(0, big), `A=${'x'.repeat(big)}`)
    const { ms } = checkTotal({ source, options: { environment: {}, features: dockerFeatures } })
    assert.ok(ms < longestMs, `bomb ${index} takes ${ms} ms`)
  }
})
