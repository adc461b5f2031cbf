import { basename, dirname } from 'node:path'
import { run } from '../steps/shell.ts'

/** Packs a folder: owned by root, and the same bytes from the same files. */
export async function writeArchive(path: string, folder: string, level: number): Promise<void> {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner']
  const packer = `--use-compress-program=gzip --no-name -${level}`
  // Its cache of compiled code is the machine's own.
  const left = '--exclude=.cache'
  await run('tar', ['-cf', path, packer, ...same, left, '-C', dirname(folder), basename(folder)])
}
