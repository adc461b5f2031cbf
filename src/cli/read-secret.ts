import { readAll } from './read-all.ts'
import type { Session } from './session.ts'

/** A secret that a person types unseen, or all of standard input without the end of its last line. */
export async function readSecret({ world, output }: Session, question: string): Promise<string> {
  if (!world.stdin.isTTY) return (await readAll(world.stdin)).replace(/\r?\n$/, '')
  const { createInterface } = process.getBuiltinModule('node:readline/promises')
  const { Writable } = process.getBuiltinModule('node:stream')
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reader = createInterface({ input: world.stdin, output: nowhere, terminal: true })
  // From here on the terminal shows nothing of what is typed.
  output.say(question)
  const { promise: left, resolve } = Promise.withResolvers<string>()
  reader.once('close', () => resolve(''))
  try {
    return await Promise.race([reader.question(''), left])
  } finally {
    reader.close()
  }
}
