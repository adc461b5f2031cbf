import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FakeAccount } from '../fake-service.ts'
import { startGate } from './gate.ts'
import { startDockerRegistry } from '../../support/docker-registry.ts'

/** What the account knows of its repositories, beside what lies in them. */
export interface RepositoryBook {
  hasRepository(name: string): boolean
  /** By digest, or by tag; null where it was never put there, or was deleted. */
  digestOf(repository: string, reference: string): string | null
  /** Hears of a manifest that has been put there. */
  pushed(repository: string, manifest: { digest: string; tag: string | null }): void
}

/** The account's registry of images. */
export interface AccountRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, which engines speak to without TLS. */
  host: string
  /** A login for twelve hours of the account's time, as `GetAuthorizationToken` gives it (S). */
  login(): { username: 'AWS'; password: string; expiresAt: Date }
  /** Ends those that were given, as their hours do. */
  endLogins(): void
  /** What was asked, as `GET /v2/…`. */
  asked: string[]
}

/** S: what ECR says of its tokens. */
const tokenMs = 12 * 3600_000

/** Debian's `docker-registry`, in a folder of the account, behind the login and the rules of ECR. */
export async function startRegistry(account: FakeAccount, book: RepositoryBook): Promise<AccountRegistry> {
  await using undo = new AsyncDisposableStack()
  const directory = join(account.directory, 'registry')
  await mkdir(directory, { recursive: true })
  undo.defer(async () => await rm(directory, { recursive: true, force: true }))
  const { host: inner } = undo.use(
    await startDockerRegistry({ directory, ready: 200, http: { relativeurls: true } }),
  )
  const logins = new Map<string, number>()
  const stateOf = (password: string) => {
    const untilMs = logins.get(password)
    return untilMs === undefined ? null : untilMs > account.clock.now() ? 'valid' : 'expired'
  }
  const gate = undo.use(
    await startGate({ inner, book, stateOf, onTrouble: (error) => account.onTrouble(error) }),
  )
  const stack = undo.move()
  return {
    host: gate.host,
    asked: gate.asked,
    login() {
      const password = randomBytes(24).toString('base64url')
      const expiresAt = account.clock.now() + tokenMs
      logins.set(password, expiresAt)
      return { username: 'AWS', password, expiresAt: new Date(expiresAt) }
    },
    endLogins() {
      for (const password of logins.keys()) logins.set(password, 0)
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  }
}
