import type { ECR } from '@aws-sdk/client-ecr'
import { RackError } from '../../../domain/error.ts'
import { createRegistry, type Account, type Registry } from '../../../aws/registry/registry.ts'
import { RegistryError } from '../../../aws/registry/registry-error.ts'

/** What tasks of Fargate run on. */
export const platform = { os: 'linux', architecture: 'amd64' }

export interface OwnLogin extends Account {
  host: string
}

/** The account's own registry, and what was made in it. */
export interface OwnImages {
  /** A fresh one. */
  login(signal: AbortSignal): Promise<OwnLogin>
  /** Reached by the account's login, which is asked for as often as the registry wants a new one. */
  registry(signal: AbortSignal): Promise<Registry>
  /** By what they were derived from, digests of images that are there already. */
  derived: Map<string, string>
}

export function createOwnImages(ecr: ECR): OwnImages {
  let found: Registry | null = null
  return {
    derived: new Map(),
    login: async (signal) => await login(ecr, signal),
    async registry(signal) {
      if (found) return found
      const { host } = await login(ecr, signal)
      found = createRegistry({ host, account: async (own) => await login(ecr, own) })
      return found
    },
  }
}

async function login(ecr: ECR, signal: AbortSignal): Promise<OwnLogin> {
  const { authorizationData = [] } = await ecr.getAuthorizationToken({}, { abortSignal: signal })
  const [given] = authorizationData
  const text = Buffer.from(given?.authorizationToken ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  const host = new URL(given?.proxyEndpoint ?? '').host
  return { host, username: text.slice(0, colon), password: text.slice(colon + 1) }
}

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
