import { RackError } from '../domain/error.ts'
import { printable } from './output/printable.ts'
import type { Session } from './session.ts'

/**
 * Asks before something is destroyed, unless `--yes`. The person types `word`.
 * @throws usage without a terminal; cancelled for any other word
 */
export async function confirm(session: Session, question: string, word: string): Promise<void> {
  const { options, world } = session
  if (options.flag('yes')) return
  if (!world.stdin.isTTY || !world.stderr.isTTY) {
    throw new RackError('usage', 'this destroys something, and nobody is here to be asked', {
      hint: 'Add --yes.',
    })
  }
  const { createInterface } = process.getBuiltinModule('node:readline/promises')
  const reader = createInterface({ input: world.stdin, output: world.stderr })
  const { promise: left, resolve } = Promise.withResolvers<string>()
  reader.once('close', () => resolve(''))
  const answer = await Promise.race([reader.question(printable(`${question} Type ${word} to go on: `)), left])
  reader.close()
  if (answer.trim() !== word) throw new RackError('cancelled', 'nothing was changed')
}
