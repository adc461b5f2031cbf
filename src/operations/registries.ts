import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'
import { checkRegistryHost, type Registry, type RegistryLogin } from '../domain/registry.ts'
import type { Context } from './context.ts'

/** Keeps a login once the registry has taken it; one of the same host is replaced. */
export async function addRegistry(
  context: Context,
  login: RegistryLogin,
  control: Control,
): Promise<Registry> {
  const { store, engine } = context
  const host = checkRegistryHost(login.host)
  if (login.username === '' || login.password === '') {
    throw new RackError('invalid', 'a login has a name and a password', {
      hint: `rack registries add ${host} --username NAME`,
    })
  }
  await engine.tryLogin({ ...login, host }, control)
  await store.registries.set({ ...login, host })
  const found = (await store.registries.list()).find((registry) => registry.host === host)
  if (found) return found
  throw new RackError('conflict', `${host} was removed meanwhile`, { hint: 'See them with: rack registries' })
}

/** @throws not-found */
export async function removeRegistry({ store }: Context, text: string): Promise<void> {
  const host = checkRegistryHost(text)
  if (await store.registries.remove(host)) return
  throw new RackError('not-found', `the rack has no login at ${host}`, {
    hint: 'See them with: rack registries',
  })
}
