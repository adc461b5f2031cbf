import type { CommanderError } from 'commander'
import { RackError } from '../domain/error.ts'
import { nearest } from '../manifest/nearest.ts'
import { operandsOf } from './build-command.ts'
import type { CommandSpec } from './command-spec.ts'

/** Commander's refusal of a command line in our words, with the help of the command that was meant. */
export function usageError(error: CommanderError, spec: CommandSpec, args: string[]): RackError {
  const { command, word, verbs } = findMeant(spec, args)
  if (error.code === 'commander.help') {
    return new RackError('usage', `${command} needs a verb`, { hint: `${command} --help`, cause: error })
  }
  if (word !== undefined && error.code === 'commander.excessArguments' && verbs.length > 0) {
    const near = nearest(word, verbs)
    const hint = near === undefined ? `${command} --help` : `Did you mean "${command} ${near}"?`
    return new RackError('usage', `there is no command "${command} ${word}"`, { hint, cause: error })
  }
  const message = error.message.replace(/^error: /, '')
  return new RackError('usage', message, { hint: `${command} --help`, cause: error })
}

interface Meant {
  command: string
  /** The first word behind the command that is none of its verbs. */
  word: string | undefined
  /** What may follow it. */
  verbs: string[]
}

function findMeant(spec: CommandSpec, args: string[]): Meant {
  const words = operandsOf(spec, args)
  const path = ['rack', spec.name]
  let chosen = spec
  for (const word of words) {
    const verb = chosen.commands?.find(({ name }) => name === word)
    if (verb === undefined) break
    chosen = verb
    path.push(word)
  }
  const verbs = (chosen.commands ?? []).map(({ name }) => name)
  return { command: path.join(' '), word: words[path.length - 2], verbs }
}
