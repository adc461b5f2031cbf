import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Control } from '../../../src/domain/control.ts'
import type { DockerClient } from '../../../src/engines/docker/client.ts'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { readImageStream } from '../../../src/engines/docker/images/image-stream.ts'
import { isThere } from '../../../src/lib/files.ts'
import { tarEnd, tarHead, tarPadding } from '../../../src/lib/tar-blocks.ts'

const sources = join(import.meta.dirname, '../../../src/tool')

const repository = 'rack-tool-test'

/** The image of the tool on this Docker, by its name: made from scratch, once for each state of the sources. */
export async function toolImage(docker: DockerClient, control: Control): Promise<string> {
  const tag = await sourcesHash()
  const name = `${repository}:${tag}`
  try {
    await docker.json({ path: `/images/${name}/json` }, control)
    return name
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  const binary = await buildTool(control)
  const query = { fromSrc: '-', repo: repository, tag, changes: ['ENTRYPOINT ["/rack"]', 'CMD ["init"]'] }
  const response = await docker.stream(
    { method: 'POST', path: '/images/create', query, upload: oneFile('rack', binary) },
    control,
  )
  for await (const { error } of readImageStream(response, 'the making of an image', control)) {
    if (error !== undefined) throw new Error(error)
  }
  return name
}

/** Where Go's compiler is. */
export async function findGo(): Promise<string> {
  const usual = '/usr/local/go/bin/go'
  return (await isThere(usual)) ? usual : 'go'
}

async function buildTool({ signal }: Control): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-tool-'))
  try {
    const target = join(directory, 'rack')
    const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-trimpath' }
    await promisify(execFile)(await findGo(), ['build', '-ldflags', '-s -w', '-o', target, '.'], {
      cwd: sources,
      env,
      signal,
    })
    return await readFile(target)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function sourcesHash(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of (await readdir(sources)).toSorted()) {
    if (name.endsWith('_test.go')) continue
    hash.update(name)
    hash.update(await readFile(join(sources, name)))
  }
  return hash.digest('hex').slice(0, 12)
}

async function* oneFile(name: string, content: Buffer): AsyncGenerator<Uint8Array> {
  yield tarHead({ name, type: 'file', mode: 0o755, size: content.length, modified: new Date(0) })
  yield content
  yield tarPadding(content.length)
  yield tarEnd()
}
