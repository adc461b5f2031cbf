import { createInterface } from 'node:readline'
import { RackError } from '../../src/domain/error.ts'
import { claimPidFile } from '../../src/main/pid-file.ts'

// Claims the pid file of its argument at each `claim` on its input, and lets it go at each `release`.
const path = process.argv[2] ?? ''
const held: AsyncDisposable[] = []

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'claim') process.stdout.write(`${await tryToClaim()}\n`)
  else {
    await held.pop()?.[Symbol.asyncDispose]()
    process.stdout.write('released\n')
  }
}

async function tryToClaim(): Promise<string> {
  try {
    held.push(await claimPidFile(path))
    return 'claimed'
  } catch (error) {
    if (error instanceof RackError) return error.message
    throw error
  }
}
