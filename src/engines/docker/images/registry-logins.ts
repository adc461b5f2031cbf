import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { defaultRegistry, registryOf, type RegistryLogin } from '../../../domain/registry.ts'
import type { DockerClient } from '../client.ts'

/** How the engine calls the registry that is meant where none is named. */
const hubAddress = 'https://index.docker.io/v1/'
/** How BuildKit calls it. */
const hubHost = 'registry-1.docker.io'

const triesMs = 30_000

/** Has the engine ask the registry. @throws invalid when it refuses, or does not answer as one */
export async function tryLogin(docker: DockerClient, login: RegistryLogin, control: Control): Promise<void> {
  try {
    await docker.json({ method: 'POST', path: '/auth', body: configOf(login), deadlineMs: triesMs }, control)
  } catch (error) {
    const isAnswer = error instanceof RackError && typeof error.details === 'object'
    if (!isAnswer || control.signal.aborted) throw error
    const why = error.message.replace(/^Docker Engine: /, '').replaceAll(login.password, '****')
    const isRefused = /unauthorized|denied|incorrect|401|403/i.test(why)
    throw new RackError(
      'invalid',
      isRefused
        ? `${login.host} refuses the login of ${login.username}`
        : `${login.host} cannot be asked: ${why}`,
      {
        hint: isRefused
          ? `Give it again: rack registries add ${login.host} --username ${login.username}`
          : 'Is the host right, and does this machine reach it?',
      },
    )
  }
}

/** The header by which an image is pulled; none where the rack has no login. */
export function pullHeaders(image: string, logins: RegistryLogin[]): Record<string, string> {
  const host = registryOf(image)
  const login = logins.find((one) => one.host === host)
  return login ? { 'X-Registry-Auth': encode(configOf(login)) } : {}
}

/** The header that the classic builder pulls base images by. */
export function buildHeaders(logins: RegistryLogin[]): Record<string, string> {
  if (logins.length === 0) return {}
  const configs = logins.map((login) => [addressOf(login.host), configOf(login)] as const)
  return { 'X-Registry-Config': encode(Object.fromEntries(configs)) }
}

/** What BuildKit asks for by the host of a registry. */
export function loginFor(host: string, logins: RegistryLogin[]): RegistryLogin | undefined {
  const known = host === hubHost ? defaultRegistry : host
  return logins.find((login) => login.host === known)
}

function configOf({ host, username, password }: RegistryLogin) {
  return { username, password, serveraddress: addressOf(host) }
}

function addressOf(host: string): string {
  return host === defaultRegistry ? hubAddress : host
}

/** With the padding that the engine wants. */
function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}
