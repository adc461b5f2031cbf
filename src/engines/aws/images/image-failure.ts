import { RackError } from '../../../domain/error.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'

/** What a registry did not give, as one of ours; what is none of its answers stays as it is. */
export function imageFailure(
  error: unknown,
  { type, image }: { type: string; image: string },
  signal: AbortSignal,
): unknown {
  if (signal.aborted || error instanceof RackError) return error
  const isOfRegistry = error instanceof RegistryError
  // What `fetch` throws when nobody answers.
  if (!isOfRegistry && !(error instanceof TypeError && error.cause instanceof Error)) return error
  const why = isOfRegistry ? error.message : `${error.message}: ${(error.cause as Error).message}`
  return new RackError('image-unavailable', `${type}: the image ${image} cannot be had: ${why}`, {
    details: { process: type, image, reason: why },
    cause: error,
  })
}
