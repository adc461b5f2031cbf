import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { checkTotal } from '../test/support/hostile/check-total.ts'
import { readCorpus } from '../test/support/hostile/corpus.ts'
import { hostileInput, type HostileInput } from '../test/support/hostile/hostile-input.ts'
import { shrinkInput } from '../test/support/hostile/shrink-input.ts'
import type { FuzzShare, FuzzTally } from './fuzz/worker.ts'

/**
 * `npm run fuzz -- [--inputs N] [--seed S] [--workers W] [--out DIR]`: reads that many hostile compose files; ends with 1
 * when one of them throws, hangs or takes too long. An input is known by the seed and its number.
 */
const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    out: { type: 'string', default: '.cache/fuzz' },
  },
})
const [inputs, seed, workers] = [Number(values.inputs), Number(values.seed), Number(values.workers)]
const corpus = readCorpus()

/** The aim for one input. */
const longestMs = 50

/** So many of the slowest are timed again, whatever the workers saw. */
const fewestTimed = 50

/** A worker that shows no progress for so long hangs. */
const hangsAfterMs = 30_000

/** Bounds what one worker may hold. */
const mostHeapMebibytes = 512

interface Offender {
  number: number
  what: string
}

const offenders: Offender[] = []
const tally: FuzzTally = { done: 0, valid: 0, peakHeapBytes: 0, slow: [], failed: [] }
const started = performance.now()
await Promise.all(Array.from({ length: workers }, (_, index) => runShare(index)))
for (const number of tally.failed) offenders.push({ number, what: whatThrows(number) })
const slowest = tally.slow.toSorted((one, other) => other.ms - one.ms)
const suspects = slowest.filter(({ ms }, index) => ms > longestMs || index < fewestTimed)
const timed = suspects.map(({ number }) => ({ number, ms: fastestOf(number) }))
for (const { number, ms } of timed) {
  if (ms > longestMs) offenders.push({ number, what: `takes ${ms.toFixed(1)} ms` })
}
report()
process.exitCode = offenders.length === 0 ? 0 : 1

/** Reads every `workers`-th number from `index` on; a worker that dies or hangs is replaced behind its input. */
async function runShare(index: number): Promise<void> {
  let next = index
  while (next < inputs) {
    const progress = new Int32Array(new SharedArrayBuffer(4))
    progress[0] = next
    const ending = await runWorker({ first: next, step: workers, inputs, seed, progress })
    if (ending === null) return
    const number = Atomics.load(progress, 0)
    offenders.push({ number, what: ending })
    next = number + workers
  }
}

/** Null when the worker has read all its inputs, else why it did not. */
function runWorker(share: FuzzShare): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>()
  const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), {
    workerData: share,
    resourceLimits: { maxOldGenerationSizeMb: mostHeapMebibytes },
  })
  let [seen, seenAt] = [share.first, performance.now()]
  const watch = setInterval(() => {
    const number = Atomics.load(share.progress, 0)
    if (number !== seen) [seen, seenAt] = [number, performance.now()]
    else if (performance.now() - seenAt > hangsAfterMs) end(`hangs for ${hangsAfterMs / 1000} s`)
  }, 1000)
  const end = (ending: string | null) => {
    clearInterval(watch)
    resolve(ending)
    void worker.terminate()
  }
  worker.on('message', (part: FuzzTally) => add(part))
  worker.on('error', (error) => end(`ends its thread: ${String(error)}`))
  worker.on('exit', (code) => end(code === 0 ? null : `ends its thread with ${code}`))
  return promise
}

function add(part: FuzzTally): void {
  tally.done += part.done
  tally.valid += part.valid
  tally.peakHeapBytes = Math.max(tally.peakHeapBytes, part.peakHeapBytes)
  tally.slow.push(...part.slow)
  tally.failed.push(...part.failed)
  if (process.stderr.isTTY) process.stderr.write(`\r${tally.done} of ${inputs}`)
}

function whatThrows(number: number): string {
  try {
    checkTotal(hostileInput(corpus, seed, number))
  } catch (error) {
    return `throws ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
  return 'threw once, and not when it was tried again'
}

/** The workers are gone, and the caches warm: the fastest of three counts. */
function fastestOf(number: number): number {
  const input = hostileInput(corpus, seed, number)
  return Math.min(...[1, 2, 3].map(() => (throws(input) ? 0 : checkTotal(input).ms)))
}

function report(): void {
  const directory = join(values.out, `seed-${seed}`)
  for (const { number, what } of offenders) {
    mkdirSync(directory, { recursive: true })
    const input = hostileInput(corpus, seed, number)
    const smallest = what.startsWith('throws') ? shrinkInput(input, throws) : input
    writeFileSync(join(directory, `${number}.json`), `${JSON.stringify({ what, ...smallest }, null, 2)}\n`)
    console.log(`input ${number} ${what.split('\n').slice(0, 4).join('\n')}`)
  }
  if (offenders.length > 0) console.log(`the inputs are in ${directory}`)
  const slow = offenders.filter(({ what }) => what.startsWith('takes')).length
  const longest = Math.max(0, ...timed.map(({ ms }) => ms))
  const parts = [
    `${tally.done} inputs of seed ${seed} (${Math.round((100 * tally.valid) / tally.done)} % valid)`,
    `exceptions ${offenders.length - slow}`,
    `over ${longestMs} ms ${slow}`,
    `longest ${longest.toFixed(1)} ms`,
    `peak heap ${Math.round(tally.peakHeapBytes / 1024 / 1024)} MiB of ${mostHeapMebibytes}`,
    `${Math.round((performance.now() - started) / 1000)} s`,
  ]
  console.log(`fuzz: ${parts.join(', ')}`)
}

function throws(input: HostileInput): boolean {
  try {
    checkTotal(input)
    return false
  } catch {
    return true
  }
}
