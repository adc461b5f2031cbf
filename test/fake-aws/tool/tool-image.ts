import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compileTool, hashTool } from '../../../scripts/bundle/compile-tool.ts'
import type { Control } from '../../../src/domain/control.ts'
import type { DockerClient } from '../../../src/engines/docker/client.ts'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { readImageStream } from '../../../src/engines/docker/images/image-stream.ts'
import { tarEnd, tarHead, tarPadding } from '../../../src/lib/tar-blocks.ts'

const repository = 'rack-tool-test'

/** The image of the tool on this Docker, by its name: made from scratch, once for each state of the sources. */
export async function toolImage(docker: DockerClient, control: Control): Promise<string> {
  const tag = (await hashTool()).slice(0, 12)
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

async function buildTool({ signal }: Control): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-tool-'))
  try {
    const target = join(directory, 'rack')
    await compileTool(target, signal)
    return await readFile(target)
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function* oneFile(name: string, content: Buffer): AsyncGenerator<Uint8Array> {
  yield tarHead({ name, type: 'file', mode: 0o755, size: content.length, modified: new Date(0) })
  yield content
  yield tarPadding(content.length)
  yield tarEnd()
}
