/** A build context that is a repository: the command line fetches it, and it travels with the source. */
export interface GitContext {
  url: string
  /** A branch, a tag or a commit; empty for what the repository begins with. */
  ref: string
  /** Of the repository, empty for all of it. */
  folder: string
  /** Where it lies in the source. */
  place: string
}

/** Below it lies what was fetched; no other build has it. */
const fetchedFolder = '.rack/git'

export function isFetched(path: string): boolean {
  return path === fetchedFolder || path.startsWith(`${fetchedFolder}/`)
}

const reference = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,250}$/
const remote = /^(?:(?:git|ssh):\/\/|https?:\/\/.*\.git$|git@[\w.-]+:)/i

/** `URL`, `URL#REF` or `URL#REF:FOLDER`, as Docker writes it; null for what is no repository. */
export function gitContextOf(text: string): GitContext | null {
  const [address = '', fragment = '', ...more] = text.split('#')
  const [ref = '', folder = '', ...parts] = fragment.split(':')
  const url = address.startsWith('github.com/') ? `https://${address.replace(/(\.git)?$/, '.git')}` : address
  const isPlain = more.length === 0 && parts.length === 0 && /^[!-~]{1,500}$/.test(url)
  if (!isPlain || !remote.test(url) || (ref !== '' && !reference.test(ref))) return null
  const name = (url.split(/[/:]/).at(-1) ?? '').replace(/\.git$/, '').replaceAll(/[^A-Za-z0-9-]/g, '-')
  return { url, ref, folder, place: `${fetchedFolder}/${name || 'repository'}-${digestOf(`${url}#${ref}`)}` }
}

/** A password has no place in a file, and a user of a web address is one. */
export function hasCredentials({ url }: Pick<GitContext, 'url'>): boolean {
  return /^https?:\/\/[^/]*@/i.test(url) || /^[a-z]+:\/\/[^/@]*:[^/@]*@/i.test(url)
}

/** Whether two builds have the same source: a commit stays what it is. */
export function isPinned({ ref }: Pick<GitContext, 'ref'>): boolean {
  return /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(ref)
}

/** Tells addresses apart, and nothing more (FNV-1a). */
function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (const letter of text) hash = Math.imul(hash ^ letter.codePointAt(0)!, 0x01000193) >>> 0
  return hash.toString(16).padStart(8, '0')
}
