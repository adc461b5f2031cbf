import * as z from 'zod'
import type { Registry } from '../../domain/registry.ts'
import { paths } from '../paths.ts'
import { nothing, op, time } from './op.ts'

const registry = z
  .object({ host: z.string(), username: z.string(), since: time })
  .meta({ id: 'Registry' }) satisfies z.ZodType<Registry>

const registryParams = z.object({ host: z.string() })

/** Logins at registries, by which images are pulled and built on. */
export const registryOperations = {
  listRegistries: op({
    ...paths.listRegistries,
    summary: 'Registries at which the rack has a login; never a password.',
    reply: z.array(registry),
  }),
  addRegistry: op({
    ...paths.addRegistry,
    summary: 'Keep a login, once the registry has taken it.',
    params: registryParams,
    body: z.strictObject({ username: z.string().max(1000), password: z.string().max(100_000) }),
    reply: registry,
  }),
  removeRegistry: op({
    ...paths.removeRegistry,
    summary: 'Forget a login.',
    params: registryParams,
    reply: nothing,
  }),
}
