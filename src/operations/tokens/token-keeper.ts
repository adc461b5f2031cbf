import { createHash, timingSafeEqual } from 'node:crypto'
import type { Login } from '../../domain/caller.ts'
import { codeOf } from '../../domain/error.ts'
import type { KeptToken, TokenStore } from '../../domain/stores/rack-stores.ts'
import {
  checkNewToken,
  hasExpired,
  isRole,
  tokenPrefix,
  type MadeToken,
  type NewToken,
  type Token,
} from '../../domain/token.ts'
import { freshSecret } from '../../lib/fresh-secret.ts'
import { createSemaphore } from '../../lib/semaphore.ts'
import { expired, lastOne, nameTaken, revoked, unknownName, unknownRole } from './token-errors.ts'
import { createTokenWatch } from './token-watch.ts'

/** Who may call the rack. All of the one daemon's changes of tokens go through it, so it knows at once of each. */
export interface TokenKeeper {
  /** Who holds the token; null for one that is not known. @throws unauthorized for one that has expired, or may do nothing */
  authenticate(token: string): Promise<Login | null>
  list(): Promise<Token[]>
  /** Lets go of those that have expired long ago. @throws invalid; exists while another of the name is good */
  create(token: NewToken): Promise<MadeToken>
  /** What is called with it ends at once. @throws not-found; conflict for the last that may administer the rack */
  revoke(name: string): Promise<void>
  /** Keeps a hash that somebody on the machine has made, for all that a rack can do. Safe to repeat. */
  takeIn(name: string, sha256: string): Promise<void>
}

interface KeeperParts {
  store: TokenStore
  now: () => Date
  log: (level: 'warn', message: string, facts: Record<string, unknown>) => void
}

/** A use is written down no more often. */
const useMs = 60_000

export function createTokenKeeper(parts: KeeperParts): TokenKeeper {
  const kept = new KeptTokens(parts)
  const turns = createSemaphore(1)
  return {
    async authenticate(given) {
      const hash = createHash('sha256').update(given).digest()
      if (!kept.find(hash)) await turns.run(() => kept.load())
      const token = kept.find(hash)
      if (!token) return null
      if (hasExpired(token, parts.now())) throw expired(token)
      const login = kept.loginOf(token)
      kept.noteUse(token)
      return login
    },
    list: async () => await turns.run(async () => (await parts.store.list()).map(shown)),
    create: async (wanted) => await turns.run(() => kept.create(wanted)),
    revoke: async (name) => await turns.run(() => kept.revoke(name)),
    takeIn: async (name, sha256) =>
      await turns.run(() => kept.add({ name, sha256, role: 'admin', apps: null, expires: null })),
  }
}

/** The tokens of the store as they are known here. What changes them is called one at a time. */
class KeptTokens {
  readonly #parts: KeeperParts
  readonly #watch: ReturnType<typeof createTokenWatch>
  #tokens: KeptToken[] = []

  constructor(parts: KeeperParts) {
    this.#parts = parts
    this.#watch = createTokenWatch(parts.now)
  }

  async load(): Promise<void> {
    this.#tokens = await this.#parts.store.list()
  }

  /** Looks at every one to its end, so that the time it takes tells nothing of what is kept. */
  find(hash: Buffer): KeptToken | undefined {
    let found: KeptToken | undefined
    for (const token of this.#tokens) {
      const other = Buffer.from(token.sha256, 'hex')
      if (other.length === hash.length && timingSafeEqual(other, hash)) found = token
    }
    return found
  }

  noteUse(token: KeptToken): void {
    const { now, store, log } = this.#parts
    const time = now()
    if (token.lastUsed !== null && time.getTime() - Date.parse(token.lastUsed) < useMs) return
    token.lastUsed = time.toISOString()
    store.noteUse(token.sha256, token.lastUsed).catch((error: unknown) => {
      log('warn', 'the last use of a token is not kept', { token: token.name, code: codeOf(error) })
    })
  }

  loginOf(token: KeptToken): Login {
    const { name, role, apps } = token
    if (!isRole(role)) throw unknownRole(token)
    return {
      caller: { name, role, apps },
      whenOver: (hear) => {
        // It may have been revoked between the look at it and this.
        const isThere = this.#tokens.some(({ sha256 }) => sha256 === token.sha256)
        if (!isThere) queueMicrotask(() => hear(revoked(token)))
        return this.#watch.listen(token, hear)
      },
    }
  }

  async create(wanted: NewToken): Promise<MadeToken> {
    const { now } = this.#parts
    checkNewToken(wanted)
    const { name, role, apps, lifetimeMs } = wanted
    await this.load()
    const same = this.#tokens.filter((token) => token.name === name)
    if (same.some((token) => !hasExpired(token, now()))) throw nameTaken(name)
    await this.#end([...same, ...this.#tokens.filter((token) => isForgotten(token, now()))])
    const { text: token, sha256 } = freshSecret(tokenPrefix)
    const expires = lifetimeMs === null ? null : new Date(now().getTime() + lifetimeMs).toISOString()
    await this.add({ name, sha256, role, apps, expires })
    const made = this.#tokens.find((other) => other.sha256 === sha256)
    if (!made) throw unknownName(name)
    return { ...shown(made), token }
  }

  async revoke(name: string): Promise<void> {
    await this.load()
    const leaving = this.#tokens.filter((token) => token.name === name)
    if (leaving.length === 0) throw unknownName(name)
    const left = this.#tokens.filter((token) => !leaving.includes(token))
    if (!left.some((token) => isAdministrator(token, this.#parts.now()))) throw lastOne(name)
    await this.#end(leaving)
  }

  async add(token: Parameters<TokenStore['add']>[0]): Promise<void> {
    await this.#parts.store.add(token)
    await this.load()
  }

  async #end(tokens: KeptToken[]): Promise<void> {
    for (const token of tokens) {
      await this.#parts.store.remove(token.sha256)
      this.#tokens = this.#tokens.filter(({ sha256 }) => sha256 !== token.sha256)
      this.#watch.tell(token, revoked(token))
    }
  }
}

function isAdministrator(token: KeptToken, now: Date): boolean {
  return token.role === 'admin' && token.apps === null && !hasExpired(token, now)
}

/** Who asks why a token is good no more has had the time to. */
const keptExpiredMs = 30 * 24 * 3600 * 1000

function isForgotten(token: KeptToken, now: Date): boolean {
  return hasExpired(token, new Date(now.getTime() - keptExpiredMs))
}

function shown({ sha256: _sha256, ...token }: KeptToken): Token {
  return token
}
