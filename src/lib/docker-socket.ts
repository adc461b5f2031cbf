/** Where Docker Engine listens unless it is told otherwise. */
export const usualDockerSocket = '/var/run/docker.sock'

/**
 * The socket of this machine's Docker Engine: the one of `DOCKER_HOST`, as every Docker program takes it, else the usual
 * one. An engine elsewhere (`tcp://`, `ssh://`) is none of this machine's.
 */
export function dockerSocket(env: Record<string, string | undefined>): string {
  const named = /^unix:\/\/(\/.+)$/.exec(env['DOCKER_HOST'] ?? '')?.[1]
  return named ?? usualDockerSocket
}
