import type { ECR } from '@aws-sdk/client-ecr'
import type { Platform } from './manifests.ts'
import { createRegistry, type Account, type Registry } from './registry.ts'

/** What tasks of Fargate run on. */
export const platform: Platform = { os: 'linux', architecture: 'amd64' }

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
