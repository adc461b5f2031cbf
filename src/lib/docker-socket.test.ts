import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerSocket } from './docker-socket.ts'

test('the socket of DOCKER_HOST, or the usual one', () => {
  const cases: [string | undefined, string][] = [
    [undefined, '/var/run/docker.sock'],
    ['', '/var/run/docker.sock'],
    ['unix:///run/user/1000/docker.sock', '/run/user/1000/docker.sock'],
    ['tcp://10.0.0.1:2375', '/var/run/docker.sock'],
    ['unix://', '/var/run/docker.sock'],
  ]
  for (const [host, expected] of cases) assert.equal(dockerSocket({ DOCKER_HOST: host }), expected)
})
