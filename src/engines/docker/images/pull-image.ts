import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { splitReference } from '../../../domain/image-name.ts'
import type { PullPolicy } from '../../../domain/manifest.ts'
import { registryOf, type RegistryLogin } from '../../../domain/registry.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import type { DockerClient } from '../client.ts'
import type { ImageInspect } from './image-config.ts'
import { readImageStream } from './image-stream.ts'
import { pullHeaders } from './registry-logins.ts'
import { findNamedImage, isRacksOwn } from './images.ts'

export interface PullOptions {
  /** The process type that needs it, for messages. */
  process: string
  /** How long a registry may be silent before it counts as not answering. */
  patienceMs: number
  say: (text: string) => void
  logins?: RegistryLogin[]
  policy?: PullPolicy | null
}

/**
 * Fetches an image and returns what the engine knows of it. When the registry does not give it, an image of that name
 * on this machine serves, and it is said, unless the policy is `always`; one that is named by digest is not asked for again.
 *
 * @throws image-unavailable when it is neither there nor here; disk-full
 */
export async function pullImage(
  docker: DockerClient,
  name: string,
  options: PullOptions,
  control: Control,
): Promise<ImageInspect> {
  if (isRacksOwn(name)) {
    throw unavailable(name, options.process, 'what a rack has built for an app is no image of a registry')
  }
  const local = await findNamedImage(docker, name, control)
  const { policy = null } = options
  if (local && (policy === 'missing' || policy === 'never' || splitReference(name).digest !== null)) {
    options.say(`${name} is here`)
    return local
  }
  if (policy === 'never')
    throw unavailable(name, options.process, 'it is not here, and `pull_policy: never` asks no registry')
  const refusal = await pull(docker, name, options, control)
  if (refusal === null) {
    const pulled = await findNamedImage(docker, name, control)
    if (pulled) return pulled
  } else if (local && policy !== 'always') {
    options.say(`${name} could not be pulled (${refusal}); the image of that name on this machine serves`)
    return local
  }
  throw unavailable(name, options.process, refusal ?? 'the registry sent another image')
}

/** Null when the registry gave the image, otherwise why not. */
async function pull(
  docker: DockerClient,
  name: string,
  { patienceMs, say, logins = [] }: PullOptions,
  control: Control,
): Promise<string | null> {
  const { repository, tag, digest } = splitReference(name)
  const query = { fromImage: repository, tag: digest ?? tag ?? 'latest' }
  say(`pulling ${name}`)
  const began = performance.now()
  try {
    const headers = pullHeaders(name, logins)
    const request = {
      method: 'POST',
      path: '/images/create',
      query,
      headers,
      deadlineMs: patienceMs,
    } as const
    const response = await docker.stream(request, control)
    const what = `pull ${name}`
    for await (const message of readImageStream(response, what, { signal: control.signal, patienceMs })) {
      if (message.error !== undefined) return refusalOf(message.error)
      if (message.status !== undefined && isWorthSaying(message.status))
        say(sentence(message.id, message.status))
    }
    say(`pulled ${name} in ${((performance.now() - began) / 1000).toFixed(1)}s`)
    return null
  } catch (error) {
    if (control.signal.aborted || !(error instanceof RackError)) throw error
    if (error.cause instanceof DeadlineError) return `its registry did not answer in ${patienceMs / 1000} s`
    // The engine answers for the registry here, with any status; that it is gone itself, or full, is no refusal.
    if (error.code === 'engine-unavailable' || error.code === 'disk-full') throw error
    return refusalOf(error.message.replace(/^Docker Engine: /, ''))
  }
}

/** A full disk in the middle of a pull comes as the text of a message. */
function refusalOf(text: string): string {
  if (/no space left on device/i.test(text)) {
    throw new RackError('disk-full', `the disk of Docker Engine is full: ${text}`, {
      hint: 'Make some room on its disk, then give the cache of builds back: rack prune --build-cache',
    })
  }
  return text
}

const isWorthSaying = (status: string) =>
  /^(Pulling from|Pull complete|Already exists|Status:|Digest:)/.test(status)

const sentence = (id: string | undefined, status: string) => (id === undefined ? status : `${id}: ${status}`)

/** In the words of registries, and of the engine. */
export function isPrivate(why: string): boolean {
  return /access denied|unauthorized|authentication required|no basic auth|authorization failed|401/i.test(
    why,
  )
}

function unavailable(name: string, type: string, why: string): RackError {
  return new RackError('image-unavailable', `${type}: the image ${name} cannot be pulled: ${why}`, {
    hint: isPrivate(why)
      ? `Is it private? Give the rack a login: rack registries add ${registryOf(name)} --username NAME`
      : `Is the name right, and does this machine reach the registry? An image of that name made here would serve.`,
    details: { process: type, image: name, reason: why },
  })
}
