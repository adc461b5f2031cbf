import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePackages } from './packages.ts'
import { say, SetupError, step } from './progress.ts'
import { run } from './shell.ts'

const root = join(import.meta.dirname, '../..')

/** A program of PyPI that tests run; `scripts/python/NAME.txt` has its version, and those of all that it needs. */
export type PythonProgram = 'cfn-lint' | 'ministack'

const homeOf = (name: PythonProgram) => join(root, '.cache/python', name)

/** Where a program is once `ensurePython` has settled. */
export function pythonProgram(name: PythonProgram): string {
  return join(homeOf(name), 'bin', name)
}

/**
 * Installs a program into an environment of its own under `.cache`, where it is not there in the versions that are wanted.
 * @throws SetupError with pip's words, when it cannot be had
 */
export async function ensurePython(name: PythonProgram): Promise<void> {
  const home = homeOf(name)
  const list = join(root, 'scripts/python', `${name}.txt`)
  const wanted = await readFile(list, 'utf8')
  // Written last: what was interrupted is no environment.
  const mark = join(home, 'installed.txt')
  if ((await readFile(mark, 'utf8').catch(absent)) === wanted) return
  await ensurePackages(['python3-venv'])
  await step(`installing ${name} from PyPI`, async () => {
    await rm(home, { recursive: true, force: true })
    await mkdir(home, { recursive: true })
    await run('python3', ['-m', 'venv', home])
    const quietly = ['--quiet', '--disable-pip-version-check', '--no-input']
    await run(join(home, 'bin/pip'), ['install', ...quietly, '--requirement', list])
    await writeFile(mark, wanted)
  })
}

/** The same, where what needs it says so itself when it is missing. */
export async function tryPython(name: PythonProgram): Promise<void> {
  try {
    await ensurePython(name)
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    say(`${name} cannot be had, and tests that need it are left out: ${error.message}. ${error.hint}`)
  }
}

function absent(error: NodeJS.ErrnoException): null {
  if (error.code !== 'ENOENT') throw error
  return null
}
