import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { createAuthority, issueCertificate } from '../../src/lib/x509/issue.ts'
import { freePort, installRack, type InstalledRack } from '../support/installed-rack.ts'
import { makeSource } from '../support/source.ts'

const run = promisify(execFile)
const span = { from: new Date(Date.now() - 1000), until: new Date(Date.now() + 30 * 86_400_000) }

let rack: InstalledRack
let httpsPort: number
let home: string
before(async () => {
  httpsPort = await freePort()
  rack = await installRack(['--https-port', String(httpsPort), '--cpu', '1024', '--memory', '1024M'])
  home = rack.directory.replace(/\/rack$/, '')
})
after(async () => await rack[Symbol.asyncDispose]())

/** As somebody who believes one authority, and nobody else. */
async function visit(host: string, ca: string, ...more: string[]): Promise<string> {
  const resolve = [httpsPort, rack.httpPort].flatMap((port) => ['--resolve', `${host}:${port}:127.0.0.1`])
  const { stdout } = await run('curl', ['-sS', '--cacert', ca, ...resolve, ...more])
  return stdout
}

test(
  "an app is reached by https: under the rack's authority, then under a certificate that is brought",
  { timeout: 180_000 },
  async () => {
    const compose = [
      'services:',
      '  web:',
      '    image: busybox:1',
      '    command: sh -c "mkdir /www && echo hello > /www/index.html && exec httpd -f -p 3000 -h /www"',
      '    ports: ["80:3000"]',
    ].join('\n')
    await using source = await makeSource({ 'docker-compose.yml': compose })
    await rack.run('deploy', source.path, '--app', 'shop')

    const own = join(home, 'ca.pem')
    await writeFile(own, await rack.run('certs', 'ca'))
    const url = `https://shop.localhost:${httpsPort}/`
    assert.equal(await visit('shop.localhost', own, url), 'hello\n')
    const status = await rack.json<{ https: string }>('status')
    assert.equal(status.https, `https://localhost:${httpsPort}`)
    assert.equal(await visit('shop.localhost', own, `http://shop.localhost:${rack.httpPort}/`), 'hello\n')

    const authority = await createAuthority({ name: 'Uploads', ...span })
    const issued = await issueCertificate({
      authority,
      names: ['shop.localhost'],
      ...span,
      usages: ['server'],
    })
    const [other, certificate, key] = ['other.pem', 'shop.pem', 'shop.key'].map((name) => join(home, name))
    await writeFile(other!, authority.certificate)
    await writeFile(certificate!, authority.certificate + issued.certificate)
    await writeFile(key!, issued.key)
    const added = await rack.json<{ id: string }>('certs', 'add', certificate!, key!)
    assert.equal(await visit('shop.localhost', other!, url), 'hello\n')
    const sent = await visit(
      'shop.localhost',
      other!,
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{redirect_url}',
      `http://shop.localhost:${rack.httpPort}/a?b`,
    )
    assert.equal(sent, `308 https://shop.localhost:${httpsPort}/a?b`)

    // A domain of its own, at once and without a release.
    const releases = await rack.run('releases', '--app', 'shop')
    await rack.run('domains', 'add', 'Shop.Example.com.', '--app', 'shop')
    const domainUrl = `https://shop.example.com:${httpsPort}/`
    assert.equal(await visit('shop.example.com', own, domainUrl), 'hello\n')
    assert.equal(await rack.run('releases', '--app', 'shop'), releases)

    // What a daemon has shown stays while none runs, and with the next one.
    await rack.run('stop')
    await rack.run('start')
    assert.equal(await visit('shop.localhost', other!, url), 'hello\n')
    await rack.run('certs', 'remove', added.id, '--yes')
    assert.equal(await visit('shop.localhost', own, url), 'hello\n')
  },
)
