import type { Environment } from '../../../domain/environment.ts'
import { RackError } from '../../../domain/error.ts'
import type { BuildSecret, BuildSpec } from '../../../domain/manifest.ts'
import { readSshKey, type SshKey } from '../../../lib/ssh-key.ts'
import type { SessionAnswers } from './buildkit-session.ts'

/** What the steps of a build may mount. @throws invalid for a key that cannot be used */
export function answersOf(
  { secrets, keys }: BuildSpec,
  type: string,
): Pick<SessionAnswers, 'secrets' | 'keys'> {
  return {
    secrets: new Map(secrets.map(({ id, content }) => [id, Buffer.from(content, 'base64')])),
    keys: new Map(keys.map((key) => [key.id, keyOf(key, type)])),
  }
}

function keyOf({ id, content, origin }: BuildSecret, type: string): SshKey {
  try {
    return readSshKey(textOf(content))
  } catch (cause) {
    const place = 'file' in origin ? origin.file : `the variable ${origin.environment} of the app`
    throw new RackError(
      'invalid',
      `${type}: build.ssh: the key "${id}" cannot be used: ${(cause as Error).message}`,
      {
        hint: `It is read from ${place}.`,
      },
    )
  }
}

/** What a build's log may not repeat, line by line, as a log has it; by any name. */
export function textsOf({ secrets, keys }: BuildSpec): Environment {
  const lines = [...secrets, ...keys].flatMap(({ content }) => textOf(content).split(/\r?\n/))
  return Object.fromEntries(lines.map((line, index) => [String(index), line.trim()]))
}

/** @throws unsupported where the engine could not give them to the build */
export function needsBuildKit({ secrets, keys }: BuildSpec, type: string): void {
  if (secrets.length + keys.length === 0) return
  throw new RackError(
    'unsupported',
    `${type}: build.secrets and build.ssh need BuildKit, which this Docker Engine has not, or not together with shm_size or ulimits`,
    { hint: 'Install a newer Docker Engine, or fetch what needs a secret before the upload.' },
  )
}

function textOf(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8')
}
