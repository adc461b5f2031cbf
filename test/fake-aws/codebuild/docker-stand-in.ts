import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'

/**
 * `docker` of a build in an account that nothing was installed into: it has no image of the rack's, so the program that
 * would be in it runs from its sources, with what of the environment it would be given.
 */
const entry = new URL('../../../src/main/build-in-account.ts', import.meta.url).href
const [command = '', ...args] = process.argv.slice(2)
const { RACK_BUILD_IMAGE: image, FAKE_REGISTRY_PASSWORD: password, FAKE_WAY: way = '{}' } = process.env

if (command === 'login') {
  const options = { username: { type: 'string' }, 'password-stdin': { type: 'boolean' } } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  assert.deepEqual({ ...values }, { username: 'AWS', 'password-stdin': true })
  assert.deepEqual(positionals, [image!.split('/')[0]])
  assert.equal((await text(process.stdin)).trim(), password)
} else {
  assert.equal(command, 'run')
  const options = {
    rm: { type: 'boolean' },
    network: { type: 'string' },
    user: { type: 'string' },
    volume: { type: 'string' },
    env: { type: 'string', multiple: true },
  } as const
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
  const { env = [], ...others } = values
  const socket = '/var/run/docker.sock'
  assert.deepEqual({ ...others }, { rm: true, network: 'host', user: '0', volume: `${socket}:${socket}` })
  assert.deepEqual(positionals, [image, 'build-in-account'])
  const given = env.map((name) => [name, process.env[name]])
  const { PATH, HOME, DOCKER_HOST } = process.env
  const own = { PATH, HOME, ...(DOCKER_HOST !== undefined && { DOCKER_HOST }) }
  process.env = { ...own, ...Object.fromEntries(given), ...(JSON.parse(way) as object) }
  await import(entry)
}
