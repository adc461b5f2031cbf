import { RackError } from '../domain/error.ts'
import type { OptionSpec } from './command-spec.ts'
import { readSecret } from './read-secret.ts'
import { readTextFile } from './read-text-file.ts'
import type { Session } from './session.ts'

/** The ways in which a command takes the URL of a service. */
export const urlOptions: OptionSpec[] = [
  { flags: '--url <url>', meaning: "the URL; the shell's history keeps it then" },
  { flags: '--url-file <path>', meaning: 'a file that holds the URL and nothing else; - is standard input' },
]

export const urlDescription =
  'The URL is typed unseen, or comes from standard input or --url-file: it holds a password.'

/** What another rack has printed, as a word, or the file that holds it; `-` is standard input. */
export const fromOption: OptionSpec = {
  flags: '--from <line>',
  meaning: 'what the other rack has printed, or a file that holds it; - is standard input',
}

/** The line of another rack, in whichever way. @throws usage for none, or a file that cannot be read */
export async function readShare(session: Session): Promise<string> {
  const { options, world } = session
  const given = options.text('from')
  // From here on no list of processes shows what it was.
  if (given !== undefined) process.title = 'rack'
  // No path is so long, and what is no path is not repeated.
  if (given !== undefined && (/^\s*rack-share:/.test(given) || given.length > 1000)) return given
  const line =
    given === undefined
      ? await readSecret(session, 'Line of the other rack:')
      : await readTextFile(world, given)
  if (line.trim() !== '') return line
  throw new RackError('usage', 'no line of the other rack was given', {
    hint: 'There: rack services share NAME --output FILE; here: --from FILE',
  })
}

/** The URL that a command was given, in whichever way. @throws usage for none, or a file that cannot be read */
export async function readUrl(session: Session, given: string | undefined): Promise<string> {
  const { options, world } = session
  const word = given ?? options.text('url')
  if (word !== undefined) {
    // From here on no list of processes shows what it was.
    process.title = 'rack'
    return word
  }
  const file = options.text('url-file')
  const url =
    file === undefined ? await readSecret(session, 'URL of the service:') : await readTextFile(world, file)
  if (url.trim() !== '') return url
  throw new RackError('usage', 'no URL was given', {
    hint: 'Type it when asked, or give it with --url-file FILE, < FILE, or --url URL.',
  })
}
