import type { MadeToken, NewToken, Token } from '../../domain/token.ts'

/** The verbs of those who may call. */
export interface TokenOperations {
  /** Who may call; never what they hold. */
  listTokens(): Promise<Token[]>
  /** The token is in the answer and nowhere else. @throws invalid; exists */
  createToken(token: NewToken): Promise<MadeToken>
  /** What is called with it ends at once. @throws not-found; conflict for the last that may administer the rack */
  revokeToken(name: string): Promise<void>
}
