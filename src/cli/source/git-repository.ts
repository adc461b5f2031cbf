import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A repository may be large, and its server slow. */
const deadlineMs = 10 * 60_000

export interface RepositoryAddress {
  url: string
  /** A branch, a tag or a commit; empty for what the repository begins with. */
  ref: string
  /** Schemes that the address may lead to, as git writes them; all that git knows unless given. */
  protocols?: string
}

/**
 * Fetches a repository into a directory, without its history: git of this machine does it, by its own keys, and asks for
 * none. @throws why it cannot be, in one line
 */
export async function fetchRepository(
  root: string,
  { url, ref, protocols }: RepositoryAddress,
): Promise<void> {
  if (url === '' || url.startsWith('-') || ref.startsWith('-')) throw new Error('that is no address')
  await mkdir(root, { recursive: true })
  const allowed = protocols === undefined ? {} : { GIT_ALLOW_PROTOCOL: protocols }
  const env = { ...process.env, GIT_TERMINAL_PROMPT: '0', ...allowed }
  const git = async (...words: string[]) => {
    const options = { env, timeout: deadlineMs, killSignal: 'SIGKILL' as const }
    await promisify(execFile)('git', ['-C', root, ...words], options).catch(
      (cause: Error & { stderr?: string }) => {
        const why = (cause.stderr || cause.message).trim().split('\n').at(-1) ?? ''
        throw new Error(why, { cause })
      },
    )
  }
  await git('init', '--quiet')
  await git('fetch', '--quiet', '--depth', '1', url, ref || 'HEAD')
  await git('checkout', '--quiet', 'FETCH_HEAD')
  await rm(join(root, '.git'), { recursive: true })
}
