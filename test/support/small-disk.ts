import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempDisposable } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs a TypeScript program with two arguments: a directory that is a disk of that size, and the path of a file on
 * another disk. The small one lives in the program's own mount namespace, and is gone with it.
 * @returns what the program printed
 */
export async function runOnSmallDisk({
  program,
  kibibytes,
}: {
  program: string
  kibibytes: number
}): Promise<string> {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'rack-small-disk-'))
  await using other = await mkdtempDisposable(join(tmpdir(), 'rack-large-disk-'))
  const script = 'mount -t tmpfs -o "size=$1k" tmpfs "$2" && exec "$3" "$4" "$2" "$5"'
  const args = [String(kibibytes), directory.path, process.execPath, program, join(other.path, 'file')]
  const child = spawn('unshare', ['--map-root-user', '--mount', 'sh', '-c', script, 'sh', ...args])
  const texts = { out: '', error: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.error += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} on a small disk ended with ${code}: ${texts.error}`)
  return texts.out
}
