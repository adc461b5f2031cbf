import type { Handlers } from '../handlers.ts'

type TokenHandlers = Pick<Handlers, 'listTokens' | 'createToken' | 'revokeToken'>

export const tokenHandlers: TokenHandlers = {
  listTokens: ({ operations }) => operations.listTokens(),
  createToken: ({ operations, body }) => operations.createToken(body),
  revokeToken: async ({ operations, params }) => {
    await operations.revokeToken(params.token)
    return null
  },
}
