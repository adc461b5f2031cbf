import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { DeadlineError } from '../../../lib/deadline.ts'
import type { DockerClient } from '../client.ts'
import type { ImageInspect } from './image-config.ts'
import { readImageStream } from './image-stream.ts'
import { findImage, splitReference } from './images.ts'

export interface PullOptions {
  /** The process type that needs it, for messages. */
  process: string
  /** How long a registry may be silent before it counts as not answering. */
  patienceMs: number
  say: (text: string) => void
}

/**
 * Fetches an image and returns what the engine knows of it. When the registry does not give it, an image of that name
 * on this machine serves, and it is said; one that is named by digest is not asked for again.
 *
 * @throws image-unavailable when it is neither there nor here; disk-full
 */
export async function pullImage(
  docker: DockerClient,
  name: string,
  options: PullOptions,
  control: Control,
): Promise<ImageInspect> {
  const local = await findImage(docker, name, control)
  if (local && splitReference(name).digest !== null) {
    options.say(`${name} is here`)
    return local
  }
  const refusal = await pull(docker, name, options, control)
  if (refusal === null) {
    const pulled = await findImage(docker, name, control)
    if (pulled) return pulled
  } else if (local) {
    options.say(`${name} could not be pulled (${refusal}); the image of that name on this machine serves`)
    return local
  }
  throw unavailable(name, options.process, refusal ?? 'the registry sent another image')
}

/** Null when the registry gave the image, otherwise why not. */
async function pull(
  docker: DockerClient,
  name: string,
  { patienceMs, say }: PullOptions,
  control: Control,
): Promise<string | null> {
  const { repository, tag, digest } = splitReference(name)
  const query = { fromImage: repository, tag: digest ?? tag ?? 'latest' }
  say(`pulling ${name}`)
  const began = performance.now()
  try {
    const request = { method: 'POST', path: '/images/create', query, deadlineMs: patienceMs } as const
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

function unavailable(name: string, process: string, why: string): RackError {
  return new RackError('image-unavailable', `${process}: the image ${name} cannot be pulled: ${why}`, {
    hint: `Is the name right, and does this machine reach the registry? An image of that name made here would serve.`,
    details: { process, image: name, reason: why },
  })
}
