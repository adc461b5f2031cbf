import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { connectDocker } from '../../src/engines/docker/client.ts'
import { readImageStream } from '../../src/engines/docker/images/image-stream.ts'
import { controlFor, dockerSocket } from './docker-rack.ts'
import { packTar } from './tar.ts'

/** The shape of an image that projects name; `test/wild/README.md` says which. */
interface Shape {
  program: 'store' | 'site'
  port: number
  /** Its volume. */
  data: string
  user: { name: string; id: number }
  /** How long it takes from its start until it serves, and the first time. */
  startMs: number
  firstMs?: number
  variables?: Record<string, string>
  /** What more its image does. */
  steps?: string[]
}

const mysql = { name: 'mysql', id: 999 }
const nobody = { name: 'nobody', id: 65_534 }
const boards = { name: 'boards', id: 472 }

const shapes: Record<string, Shape> = {
  'wild/mysql:8': {
    program: 'store',
    port: 3306,
    data: '/var/lib/mysql',
    user: mysql,
    startMs: 1000,
    firstMs: 3000,
  },
  'wild/documents:7': {
    program: 'store',
    port: 27_017,
    data: '/data/db',
    user: { name: 'documents', id: 998 },
    startMs: 700,
    firstMs: 1500,
  },
  'wild/press:6': {
    program: 'site',
    port: 80,
    data: '/var/www/html',
    user: { name: 'root', id: 0 },
    startMs: 500,
    variables: { SEED: '/usr/src/press', CONFIG: '/var/www/html/wp-content/themes/ours/style.css' },
    steps: ['RUN mkdir -p /usr/src/press/wp-content/themes/plain && touch /usr/src/press/index'],
  },
  'wild/flows:1': {
    program: 'site',
    port: 5678,
    data: '/home/node/.flows',
    user: { name: 'node', id: 1000 },
    startMs: 2000,
  },
  'wild/metrics:2': {
    program: 'site',
    port: 9090,
    data: '/metrics',
    user: nobody,
    startMs: 300,
    variables: { CONFIG: '/etc/metrics/metrics.yml' },
  },
  'wild/boards:10': {
    program: 'site',
    port: 3000,
    data: '/var/lib/boards',
    user: boards,
    startMs: 1000,
    variables: { CONFIG: '/etc/boards/provisioning/dashboards.yml' },
  },
}

/** Makes the images of which projects name the like, where they are not there yet. */
export async function makeStandIns(): Promise<void> {
  for (const [name, shape] of Object.entries(shapes)) await make(name, shape)
}

async function make(name: string, shape: Shape): Promise<void> {
  const docker = connectDocker({ socketPath: dockerSocket })
  const control = controlFor(120_000)
  const program = await readFile(new URL(`../wild/stand-ins/${shape.program}.js`, import.meta.url), 'utf8')
  const upload = packTar([
    { name: 'Dockerfile', content: dockerfileOf(shape) },
    { name: 'program.js', content: program },
  ])
  const query = { t: name, forcerm: 1, labels: { 'com.rack.stand-in': 'true' } }
  const request = { method: 'POST', path: '/build', query, upload, deadlineMs: null } as const
  for await (const { error } of readImageStream(await docker.stream(request, control), name, control))
    assert.equal(error, undefined, `${name}: ${error}`)
}

function dockerfileOf({
  port,
  data,
  user,
  startMs,
  firstMs = startMs,
  variables = {},
  steps = [],
}: Shape): string {
  const all = { PORT: port, DATA: data, START_MS: startMs, FIRST_MS: firstMs, ...variables }
  const isNew = !['root', 'node', 'nobody'].includes(user.name)
  const lines = [
    'FROM node:24-slim',
    ...(isNew ? [`RUN useradd --uid ${user.id} --no-create-home ${user.name}`] : []),
    ...steps,
    `RUN mkdir -p ${data} && chown ${user.id}:${user.id} ${data}`,
    'COPY program.js /opt/program.js',
    ...Object.entries(all).map(([variable, value]) => `ENV ${variable}=${value}`),
    `VOLUME ${data}`,
    `EXPOSE ${port}`,
    `USER ${user.name}`,
    'CMD ["node", "/opt/program.js"]',
  ]
  return `${lines.join('\n')}\n`
}
