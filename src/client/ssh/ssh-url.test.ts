import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSshUrl, sshArguments, sshCommand } from './ssh-url.ts'

test('an address says user, host, port and socket', () => {
  const plain = { user: null, host: 'rack.example.com', port: null, socket: null }
  const read: [string, object][] = [
    ['ssh://rack.example.com', {}],
    ['ssh://rack.example.com/', {}],
    ['ssh://deploy@rack.example.com:2222', { user: 'deploy', port: 2222 }],
    ['ssh://my_alias', { host: 'my_alias' }],
    ['ssh://root@[2001:db8::1]', { user: 'root', host: '2001:db8::1' }],
    ['ssh://rack.example.com/var/lib/rack/rack/api.sock', { socket: '/var/lib/rack/rack/api.sock' }],
  ]
  for (const [url, says] of read) assert.deepEqual(readSshUrl(url), { ...plain, ...says }, url)
})

test('what ssh or a shell could take for something else is refused, and a password is not repeated', () => {
  const wrong = [
    'ssh://',
    'ssh://-oProxyCommand=x',
    'ssh://-l@host',
    'ssh://a:secret@host',
    'ssh://ho$st',
    'ssh://host/a;b',
    'ssh://host/$(x)',
    'ssh://host/a?b',
    'ssh://us%20er@host',
    'ssh://host:70000',
  ]
  for (const url of wrong) {
    const isRight = ({ message, hint }: { message: string; hint: string }) =>
      !`${message}${hint}`.includes('secret')
    assert.throws(() => readSshUrl(url), { code: 'usage' }, url)
    try {
      readSshUrl(url)
    } catch (error) {
      assert.ok(isRight(error as { message: string; hint: string }))
    }
  }
})

test('ssh is given the host behind its options, and one word for the shell there', () => {
  const place = readSshUrl('ssh://deploy@host:22/run/api.sock')
  const args = sshArguments(place)
  assert.deepEqual(args.slice(-7), [
    '-l',
    'deploy',
    '-p',
    '22',
    '--',
    'host',
    'rack dial-stdio --socket /run/api.sock',
  ])
  assert.equal(sshCommand(place), 'ssh -p 22 deploy@host')
})
