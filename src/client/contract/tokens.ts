import * as z from 'zod'
import { roles, type MadeToken, type NewToken, type Token } from '../../domain/token.ts'
import { paths } from '../paths.ts'
import { nothing, op, time } from './op.ts'

const token = z
  .object({
    name: z.string(),
    role: z.string().describe(`${roles.join(', ')}; one of a later version may do nothing here`),
    apps: z.array(z.string()).nullable().describe('Those that it is for; null for all'),
    created: time,
    expires: time.nullable(),
    lastUsed: time.nullable().describe('To a minute'),
  })
  .meta({ id: 'Token' }) satisfies z.ZodType<Token>

const madeToken = z
  .object({ ...token.shape, token: z.string().describe('Shown here and never again') })
  .meta({ id: 'MadeToken' }) satisfies z.ZodType<MadeToken>

const newToken = z.strictObject({
  name: z.string(),
  role: z.enum(roles),
  apps: z.array(z.string()).max(1000).nullable().default(null),
  lifetimeMs: z.number().int().nullable().default(null),
}) satisfies z.ZodType<NewToken>

/** Who may call. */
export const tokenOperations = {
  listTokens: op({
    ...paths.listTokens,
    summary: 'Names, roles, apps, ends and last uses of tokens.',
    reply: z.array(token),
  }),
  createToken: op({
    ...paths.createToken,
    summary: 'Make a token, which the answer alone shows.',
    body: newToken,
    reply: madeToken,
  }),
  revokeToken: op({
    ...paths.revokeToken,
    summary: 'Let nobody in by a token any more, and end what is open by it.',
    params: z.object({ token: z.string() }),
    reply: nothing,
  }),
}
