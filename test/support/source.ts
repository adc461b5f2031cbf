import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface SourceDirectory extends AsyncDisposable {
  path: string
  write(files: Record<string, string | Uint8Array>): Promise<void>
}

/** A source directory of a test's own. */
export async function makeSource(files: Record<string, string | Uint8Array>): Promise<SourceDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'rack-source-'))
  const write = async (texts: Record<string, string | Uint8Array>) => {
    for (const [name, text] of Object.entries(texts)) {
      await mkdir(dirname(join(path, name)), { recursive: true })
      await writeFile(join(path, name), text)
    }
  }
  await write(files)
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A web server that answers every request with a word. */
export function webFiles(word: string, says: { server?: string; labels?: string; more?: string } = {}) {
  const server =
    says.server ??
    `const server = require('node:http').createServer((request, response) => {
  if (process.env.STOPPING) response.setHeader('connection', 'close')
  response.end(${JSON.stringify(word)})
})
server.keepAliveTimeout = 75000
server.listen(3000)
process.on('SIGTERM', () => { process.env.STOPPING = '1'; server.close(() => process.exit()) })
`
  return {
    'docker-compose.yml': `services:
  web:
    build: .
    ports: ["80:3000"]
    stop_grace_period: 5s
    labels:
      rack.draining.timeout: 10
      rack.deployment.watch: 0.5
${says.labels ?? ''}    deploy:
      replicas: 2
      resources: { limits: { cpus: "0.05", memory: 64M } }
${says.more ?? ''}`,
    Dockerfile: 'FROM node:24-slim\nWORKDIR /app\nCOPY server.js ./\nCMD ["node", "server.js"]\n',
    '.dockerignore': 'docker-compose.yml\n',
    'server.js': server,
  }
}
