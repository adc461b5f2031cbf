import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { createSshAgent } from './ssh-agent.ts'
import { readSshKey } from './ssh-key.ts'

const run = promisify(execFile)

/** What OpenSSH says when it asks an agent of ours, at a socket, for what keys it has and for a signature. */
async function askByOpenSsh(folder: string, privateKey: string, publicFile: string) {
  const path = join(folder, 'agent.sock')
  const key = readSshKey(privateKey)
  const server = createServer((socket) => {
    const agent = createSshAgent(key)
    socket.on('data', (bytes) => socket.write(agent.push(bytes)))
    socket.on('error', () => socket.destroy())
  }).listen(path)
  try {
    const env = { ...process.env, SSH_AUTH_SOCK: path }
    const { stdout: listed } = await run('ssh-add', ['-L'], { env })
    const message = join(folder, 'message')
    await writeFile(message, 'to be signed')
    await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', publicFile, '-n', 'test', message], { env })
    const check = ['-Y', 'check-novalidate', '-n', 'test', '-s', `${message}.sig`]
    const checking = run('ssh-keygen', check)
    checking.child.stdin?.end('to be signed')
    return { listed, checked: (await checking).stdout }
  } finally {
    server.close()
  }
}

for (const [type, bits] of [
  ['ed25519', '256'],
  ['rsa', '2048'],
  ['ecdsa', '256'],
  ['ecdsa', '521'],
] as const) {
  test(`OpenSSH takes the agent's word for a key of ${type} with ${bits} bits`, async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'ssh-agent-'))
    const file = join(folder.path, 'id')
    await run('ssh-keygen', ['-q', '-t', type, '-b', bits, '-N', '', '-f', file])
    const said = await askByOpenSsh(folder.path, await readFile(file, 'utf8'), `${file}.pub`)
    const [kind, blob] = (await readFile(`${file}.pub`, 'utf8')).split(' ')
    assert.ok(said.listed.startsWith(`${kind} ${blob} `), said.listed)
    assert.match(said.checked, /^Good "test" signature with /)
  })
}

test('a key in PEM is read too', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  assert.equal(
    readSshKey(`${String(pem)}\n`)
      .blob.subarray(4, 15)
      .toString(),
    'ssh-ed25519',
  )
})

test('what cannot be used is told without a word of it', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ssh-agent-'))
  const file = join(folder.path, 'id')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'passphrase', '-f', file])
  const { privateKey } = generateKeyPairSync('x25519')
  const table: [string, RegExp][] = [
    [await readFile(file, 'utf8'), /^it has a passphrase/],
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----',
      /^it is no private key/,
    ],
    ['a secret', /^it is no private key/],
    ['', /^it is no private key/],
    [String(privateKey.export({ type: 'pkcs8', format: 'pem' })), /^it is of a kind that is not known/],
  ]
  for (const [text, message] of table) assert.throws(() => readSshKey(text), { message })
})

test('an agent signs with its own key alone, and refuses all else', async () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const key = readSshKey(String(pem))
  const refused = Buffer.from([0, 0, 0, 1, 5])
  const signWith = Buffer.from([0, 0, 0, 17, 13, 0, 0, 0, 3, 1, 2, 3, 0, 0, 0, 1, 7, 0, 0, 0, 0])
  assert.deepEqual(createSshAgent(key).push(signWith), refused)
  const lock = Buffer.from([0, 0, 0, 2, 22, 0])
  const agent = createSshAgent(key)
  assert.equal(agent.push(lock.subarray(0, 3)).length, 0)
  assert.deepEqual(agent.push(lock.subarray(3)), refused)
  assert.throws(() => agent.push(Buffer.from([255, 255, 255, 255])), RangeError)
})
