import assert from 'node:assert/strict'
import type { DockerClient } from '../../src/engines/docker/client.ts'
import { findImage } from '../../src/engines/docker/images/images.ts'
import { readImageStream } from '../../src/engines/docker/images/image-stream.ts'
import { controlFor } from './docker-rack.ts'
import { packTar } from './tar.ts'

/** What no server needs to run: a registry is handed a seventh of the image. */
const needless = [
  '/usr/bin/*perl*',
  '/usr/lib/apt',
  '/usr/lib/gcc',
  '/usr/lib/llvm*',
  '/usr/lib/postgresql/*/lib/bitcode',
  '/usr/lib/postgresql/*/lib/llvmjit*',
  '/usr/lib/x86_64-linux-gnu/*perl*',
  '/usr/lib/x86_64-linux-gnu/gconv',
  '/usr/lib/x86_64-linux-gnu/libLLVM*',
  '/usr/lib/x86_64-linux-gnu/libz3*',
  '/usr/share/doc',
  '/usr/share/i18n',
  '/usr/share/locale',
  '/usr/share/*perl*',
  '/var/cache',
  '/var/lib/apt',
]

/** Debian's programs of Postgres are found by one of Perl's. */
const link = 'for each in /usr/lib/postgresql/*/bin/*; do [ ! -e "$each" ] || ln -sf "$each" /usr/bin/; done'

/** The same image with less in it, as one layer; gives its name. Made once on a machine. */
export async function slimImage(docker: DockerClient, name: string): Promise<string> {
  const control = controlFor(120_000)
  const found = await findImage(docker, name, control)
  assert.ok(found?.Config, `${name} is on this machine`)
  const { Entrypoint, Cmd, Env, ExposedPorts, Volumes, WorkingDir, StopSignal, User } =
    found.Config as DockerConfiguration
  const lines = [
    `FROM ${name} AS whole`,
    'USER 0',
    `RUN ${link}; rm -rf ${needless.join(' ')}`,
    'FROM scratch',
    'COPY --from=whole / /',
    ...(Env ?? []).map((text) => `ENV ${text.replace('=', '="')}"`),
    ...Object.keys(ExposedPorts ?? {}).map((port) => `EXPOSE ${port}`),
    ...Object.keys(Volumes ?? {}).map((path) => `VOLUME ${path}`),
    ...(WorkingDir ? [`WORKDIR ${WorkingDir}`] : []),
    ...(User ? [`USER ${User}`] : []),
    ...(StopSignal ? [`STOPSIGNAL ${StopSignal}`] : []),
    `ENTRYPOINT ${JSON.stringify(Entrypoint ?? [])}`,
    `CMD ${JSON.stringify(Cmd ?? [])}`,
  ]
  const slim = `rack-slim/${name.replaceAll(/[/:]/g, '-')}`
  const upload = packTar([{ name: 'Dockerfile', content: `${lines.join('\n')}\n` }])
  const query = { t: slim, forcerm: 1, labels: { 'com.rack.stand-in': 'true' } }
  const request = { method: 'POST', path: '/build', query, upload, deadlineMs: null } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), slim, control))
    assert.equal(error, undefined, `${slim}: ${error}`)
  return slim
}

interface DockerConfiguration {
  Entrypoint: string[] | null
  Cmd: string[] | null
  Env: string[] | null
  ExposedPorts?: Record<string, object>
  Volumes: Record<string, object> | null
  WorkingDir: string
  StopSignal?: string
  User?: string
}
