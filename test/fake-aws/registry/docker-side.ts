import type { Control } from '../../../src/domain/control.ts'
import type { DockerClient } from '../../../src/engines/docker/client.ts'
import { dropImage, findImage, tagImage } from '../../../src/engines/docker/images/images.ts'
import { readImageStream } from '../../../src/engines/docker/images/image-stream.ts'
import { pullHeaders } from '../../../src/engines/docker/images/registry-logins.ts'
import { splitReference } from '../../../src/domain/image-name.ts'
import type { AccountRegistry } from './start-registry.ts'

/** As the runtime of a task does. Null when it is there, otherwise why not. */
export async function pullFrom(
  docker: DockerClient,
  registry: AccountRegistry,
  reference: string,
  control: Control,
): Promise<string | null> {
  const { repository, tag, digest } = splitReference(reference)
  const query = { fromImage: repository, tag: digest ?? tag ?? 'latest' }
  const headers = pullHeaders(reference, [{ host: registry.host, ...registry.login() }])
  const request = { method: 'POST', path: '/images/create', query, headers } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), 'a pull', control)) {
    if (error !== undefined) return error
  }
  return null
}

/** Puts an image of this machine there; gives its name by digest. */
export async function pushTo(
  docker: DockerClient,
  registry: { host: string; login(): { username: string; password: string } },
  { repository, local }: { repository: string; local: string },
  control: Control,
): Promise<string> {
  const name = `${registry.host}/${repository}`
  const tag = 'pushed'
  await tagImage(docker, local, `${name}:${tag}`, control)
  const headers = pullHeaders(name, [{ host: registry.host, ...registry.login() }])
  const request = { method: 'POST', path: `/images/${name}/push`, query: { tag }, headers } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), 'a push', control)) {
    if (error !== undefined) throw new Error(`the push of ${local} failed: ${error}`)
  }
  const found = await findImage(docker, `${name}:${tag}`, control)
  const pushed = (found?.RepoDigests ?? []).find((one) => one.startsWith(`${name}@`))
  await dropImage(docker, `${name}:${tag}`, control)
  await dropImage(docker, pushed ?? name, control)
  if (!pushed) throw new Error(`the push of ${local} gave no digest`)
  return pushed
}
