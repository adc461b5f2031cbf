import { getHeapStatistics } from 'node:v8'
import { parentPort, workerData } from 'node:worker_threads'
import { checkTotal } from '../../test/support/hostile/check-total.ts'
import { readCorpus } from '../../test/support/hostile/corpus.ts'
import { hostileInput, type HostileInput } from '../../test/support/hostile/hostile-input.ts'

/** Which inputs a worker reads, and where it says how far it is. */
export interface FuzzShare {
  first: number
  step: number
  inputs: number
  seed: number
  /** The number of the input that is being read. */
  progress: Int32Array
}

/** What came of some inputs. */
export interface FuzzTally {
  done: number
  valid: number
  peakHeapBytes: number
  /** The slowest of each batch, and all that may be too slow. */
  slow: Timed[]
  /** The numbers of the inputs that threw. */
  failed: number[]
}

export interface Timed {
  number: number
  ms: number
}

/** Slower ones are all told, since they may be over the aim. */
const suspectMs = 40

const batch = 500
const { first, step, inputs, seed, progress } = workerData as FuzzShare
const corpus = readCorpus()
let tally = emptyTally()
for (let number = first; number < inputs; number += step) {
  Atomics.store(progress, 0, number)
  readOne(number)
  if (tally.done >= batch) send()
}
send()

function readOne(number: number): void {
  const input = hostileInput(corpus, seed, number)
  const ms = readingOf(input, number)
  tally.done += 1
  if (ms > suspectMs) tally.slow.push({ number, ms })
  else if (ms > (tally.slow[0]?.ms ?? 0)) tally.slow[0] = { number, ms }
  tally.peakHeapBytes = Math.max(tally.peakHeapBytes, getHeapStatistics().total_heap_size)
}

function readingOf(input: HostileInput, number: number): number {
  try {
    const { isValid, ms } = checkTotal(input)
    if (isValid) tally.valid += 1
    return ms
  } catch {
    tally.failed.push(number)
    return 0
  }
}

function emptyTally(): FuzzTally {
  return { done: 0, valid: 0, peakHeapBytes: 0, slow: [], failed: [] }
}

function send(): void {
  parentPort?.postMessage(tally)
  tally = emptyTally()
}
