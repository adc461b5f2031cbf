import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isThere } from '../../src/lib/files.ts'
import { isMissing } from '../../src/lib/missing.ts'

const toolSources = join(import.meta.dirname, '../../src/tool')

/** Where Go's compiler is. */
export async function findGo(): Promise<string> {
  const usual = '/usr/local/go/bin/go'
  return (await isThere(usual)) ? usual : 'go'
}

/**
 * Compiles the tool for what tasks run on: one static program, which is there whole or not at all.
 * @throws Error where Go is missing, or does not compile it
 */
export async function compileTool(target: string, signal?: AbortSignal): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0', GOOS: 'linux', GOARCH: 'amd64', GOFLAGS: '-trimpath' }
  await mkdir(dirname(target), { recursive: true })
  const made = `${target}.${process.pid}`
  const args = ['build', '-ldflags', '-s -w', '-o', made, '.']
  try {
    await promisify(execFile)(await findGo(), args, { cwd: toolSources, env, ...(signal && { signal }) })
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Error('the tool for tasks is compiled by Go 1.19 or newer, which is not here', { cause: error })
  }
  await rename(made, target)
}

/** One hash over what the tool is made from. */
export async function hashTool(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(toolSources)).toSorted()) {
    if (name.endsWith('_test.go')) continue
    hash.update(name)
    hash.update(await readFile(join(toolSources, name)))
  }
  return hash.digest('hex')
}
