import { randomUUID } from 'node:crypto'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Control } from '../../../domain/control.ts'
import type { DockerClient } from '../client.ts'

/** The client's side of a BuildKit build; the engine asks it for what it cannot know. */
export interface BuildKitSession extends Disposable {
  id: string
}

/**
 * Opens a session, without which newer engines refuse to pull base images. It says that it is well, and that it has
 * no credentials; images of private registries are not built from yet.
 *
 * @see https://github.com/moby/buildkit/blob/master/session/grpc.go
 */
export async function openBuildKitSession(docker: DockerClient, control: Control): Promise<BuildKitSession> {
  const id = randomUUID()
  const headers = {
    Upgrade: 'h2c',
    'X-Docker-Expose-Session-Uuid': id,
    'X-Docker-Expose-Session-Name': 'rack',
    'X-Docker-Expose-Session-Grpc-Method': healthCheck,
  }
  const socket = await docker.upgrade({ method: 'POST', path: '/session', headers }, control)
  // Loaded by the first build: 5 MB that an idle daemon need not hold.
  const { performServerHandshake } = process.getBuiltinModule('node:http2')
  const server: ServerHttp2Session = performServerHandshake(socket)
  server.on('stream', answer)
  // A session that breaks ends its build, which says so.
  server.on('error', () => socket.destroy())
  return {
    id,
    [Symbol.dispose]() {
      server.destroy()
      socket.destroy()
    },
  }
}

const healthCheck = '/grpc.health.v1.Health/Check'

/** A gRPC message: not compressed, two bytes long, `status: SERVING`. */
const serving = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01])
const unimplemented = '12'

function answer(stream: ServerHttp2Stream, headers: Record<string, unknown>): void {
  const isHealthCheck = headers[':path'] === healthCheck
  // The engine may hang up in mid-answer.
  stream.on('error', () => stream.destroy())
  stream.resume()
  const head = { ':status': 200, 'content-type': 'application/grpc' }
  if (!isHealthCheck) {
    stream.respond({ ...head, 'grpc-status': unimplemented }, { endStream: true })
    return
  }
  stream.respond(head, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.end(serving)
}
