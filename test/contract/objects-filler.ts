import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import type { Control } from '../../src/domain/control.ts'
import { openObjects } from '../../src/objects/directory.ts'

/**
 * Run as a program where the given directory is a small disk: puts a blob that is too large for it, then one that is
 * not, and prints, as one line of JSON, how each ended and what is there.
 */
const [directory = ''] = process.argv.slice(2)
const objects = await openObjects(directory)
const control: Control = { signal: new AbortController().signal, report: () => {} }

async function* blob(kibibytes: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < kibibytes; i++) yield randomBytes(1024)
}

const codeOf = async (task: Promise<unknown>) =>
  task.then(
    () => 'ok',
    (error: unknown) => (error as { code: string }).code,
  )
const first = await codeOf(objects.put('sources/large', blob(4096), control))
const leftovers = await readdir(directory + '/incoming')
const second = await codeOf(objects.put('sources/small', blob(64), control))
const keys: string[] = []
for await (const { key } of objects.list('sources/')) keys.push(key)
process.stdout.write(JSON.stringify({ first, leftovers, second, keys }))
