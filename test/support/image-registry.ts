import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { readTar } from '../../src/lib/tar.ts'

export interface ImageRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, which engines speak to without TLS. */
  host: string
  /** What was asked, as `GET /v2/… USER`. */
  asked: string[]
}

export interface RegistryOptions {
  username: string
  password: string
  /** How a client shows who it is: with each request, or for a token. */
  way: 'basic' | 'token'
}

/**
 * A private registry that gives one image, by whatever name it is asked for.
 * @param archive of the image, as `docker save` writes it
 * @see https://distribution.github.io/distribution/spec/api/
 */
export async function startImageRegistry(
  archive: AsyncIterable<Uint8Array>,
  options: RegistryOptions,
): Promise<ImageRegistry> {
  const blobs = await blobsOf(archive)
  const asked: string[] = []
  const server = createServer((request, response) => answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? ''
    const isKnown = mayEnter(request.headers.authorization ?? '', path, options)
    asked.push(`${request.method} ${path}${isKnown ? ` ${options.username}` : ''}`)
    if (!isKnown) return refuse(response, host, options)
    if (path.startsWith('/token')) return response.end(JSON.stringify({ token: tokenOf(options) }))
    const blob = blobs.get(/(manifests|blobs)\/(.+)$/.exec(path)?.[2] ?? '') ?? blobs.get(kindOf(path))
    if (path !== '/v2/' && !blob) return response.writeHead(404).end()
    response.writeHead(200, blob ? headersOf(blob) : {})
    response.end(request.method === 'HEAD' ? undefined : blob?.bytes)
  }
  return {
    host,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Blob {
  type: string
  digest: string
  bytes: Buffer
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'
const layerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
const configType = 'application/vnd.docker.container.image.v1+json'
/** The manifest, whatever tag is asked for. */
const anyTag = 'any tag'

const kindOf = (path: string) => (/\/manifests\/[^:]+$/.test(path) ? anyTag : '')

/** By digest. */
async function blobsOf(archive: AsyncIterable<Uint8Array>): Promise<Map<string, Blob>> {
  const files = new Map<string, Buffer>()
  for await (const { header, content } of readTar(archive)) {
    files.set(header.name, Buffer.concat(await Array.fromAsync(content)))
  }
  const [saved] = JSON.parse(String(files.get('manifest.json'))) as { Config: string; Layers: string[] }[]
  const config = blob(configType, files.get(saved!.Config)!)
  const layers = saved!.Layers.map((name) => blob(layerType, gzipSync(files.get(name)!)))
  const described = ({ type, digest, bytes }: Blob) => ({ mediaType: type, size: bytes.length, digest })
  const text = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: described(config),
    layers: layers.map(described),
  }
  const manifest = blob(manifestType, Buffer.from(JSON.stringify(text)))
  return new Map([
    [anyTag, manifest],
    ...[manifest, config, ...layers].map((one) => [one.digest, one] as const),
  ])
}

function blob(type: string, bytes: Buffer): Blob {
  return { type, bytes, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` }
}

function headersOf({ type, digest, bytes }: Blob) {
  return { 'Content-Type': type, 'Content-Length': bytes.length, 'Docker-Content-Digest': digest }
}

const tokenOf = ({ password }: RegistryOptions) => Buffer.from(`token ${password}`).toString('base64url')

function mayEnter(authorization: string, path: string, options: RegistryOptions): boolean {
  const { username, password, way } = options
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  if (way === 'basic' || path.startsWith('/token')) return authorization === basic
  return authorization === `Bearer ${tokenOf(options)}`
}

function refuse(response: ServerResponse, host: string, { way }: RegistryOptions): void {
  const challenge =
    way === 'basic' ? 'Basic realm="test"' : `Bearer realm="http://${host}/token",service="test"`
  response.writeHead(401, { 'WWW-Authenticate': challenge, 'Content-Type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] }))
}
