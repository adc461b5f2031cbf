import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RackError } from '../domain/error.ts'
import { printable } from './output/printable.ts'
import type { World } from './world.ts'

export interface TextToEdit {
  /** The file's name: editors read its kind from it. */
  name: string
  text: string
  /** What is wrong with it, to be mended in the editor; null when nothing is. */
  complaint: (text: string) => string | null
}

/**
 * Lets the person change a text in `$VISUAL`, `$EDITOR` or vi, again while something is wrong with it. It lies in a
 * folder that only they can read, and is gone afterwards.
 * @throws usage without a terminal; cancelled when they give up
 */
export async function editText(world: World, { name, text, complaint }: TextToEdit): Promise<string> {
  if (!world.stdin.isTTY) {
    throw new RackError('usage', 'an editor needs a terminal', { hint: 'rack env set NAME=value' })
  }
  const editor = world.env['VISUAL'] || world.env['EDITOR'] || 'vi'
  const folder = await mkdtemp(join(tmpdir(), 'rack-'))
  try {
    const path = join(folder, name)
    await writeFile(path, text, { mode: 0o600 })
    for (;;) {
      await runEditor(editor, path)
      const edited = await readFile(path, 'utf8')
      const wrong = complaint(edited)
      if (wrong === null) return edited
      await askToGoOn(world, wrong)
    }
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

async function askToGoOn({ stdin, stderr }: World, wrong: string): Promise<void> {
  const { createInterface } = process.getBuiltinModule('node:readline/promises')
  const reader = createInterface({ input: stdin, output: stderr })
  const { promise: left, resolve } = Promise.withResolvers<string>()
  reader.once('close', () => resolve('n'))
  const answer = await Promise.race([reader.question(printable(`${wrong}\nEdit it again? [Y/n] `)), left])
  reader.close()
  if (/^n/i.test(answer.trim())) throw new RackError('cancelled', 'nothing was changed')
}
