import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RackError } from '../domain/error.ts'
import type { World } from './world.ts'

/** Lets the person change a text in `$VISUAL`, `$EDITOR` or vi. It lies in a folder that only they can read. */
export async function editText({ env, stdin }: World, name: string, text: string): Promise<string> {
  if (!stdin.isTTY) throw new RackError('usage', 'an editor needs a terminal', { hint: 'rack env set NAME=value' })
  const editor = env['VISUAL'] || env['EDITOR'] || 'vi'
  const folder = await mkdtemp(join(tmpdir(), 'rack-'))
  try {
    const path = join(folder, name)
    await writeFile(path, text, { mode: 0o600 })
    await runEditor(editor, path)
    return await readFile(path, 'utf8')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function runEditor(editor: string, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // By the shell, since it may be given with options; the path is an argument of its own.
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], { stdio: 'inherit' })
  child.once('error', reject)
  child.once('exit', (code, signal) => {
    if (code === 0) resolve()
    else reject(new RackError('cancelled', `${editor} ended with ${code ?? signal}; nothing was changed`))
  })
  await promise
}
