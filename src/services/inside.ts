import type { Inside } from './service-type.ts'

/** The container's own address, for a shell: by the loopback one, images may trust everybody. */
export const ownHost = `"$(hostname -i | cut -d ' ' -f 1)"`

/** A script that finds a password in the variable, which is read from the first line of its input. */
export function withPassword(
  variable: string,
  script: string,
  { words, password }: { words: readonly string[]; password: string },
): Inside {
  const read = `IFS= read -r ${variable}\nexport ${variable}\n`
  return shell(read + script, { words, input: `${password}\n`, secrets: [password] })
}

/** A program with its arguments; secrets are none of them. */
export function program(command: readonly string[], input = '', secrets: readonly string[] = []): Inside {
  return { command, input, secrets }
}

/** A script of the container's own shell; `words` are its `$1`, `$2` …, so that no word is ever read as a script. */
export function shell(
  script: string,
  { words = [], input = '', secrets = [] }: { words?: readonly string[] } & Partial<Inside> = {},
): Inside {
  return { command: ['sh', '-c', script, 'sh', ...words], input, secrets }
}
