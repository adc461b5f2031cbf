import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import type { Installation } from './installation.ts'
import { crontabLine, systemdUnits } from './start-at-boot.ts'

const program = { node: '/opt/rack/node', script: '/opt/rack/bin/start.mjs' }
const installation: Installation = {
  name: 'demo',
  directory: '/var/lib/rack/demo',
  socket: { path: '/var/lib/rack/demo/api.sock', group: null },
  http: { bind: '0.0.0.0', port: 80 },
  domain: 'localhost',
  pool: { cidr: '10.213.0.0/16', subnetBits: 24 },
  total: { cpuUnits: 1024, memoryBytes: 2 ** 30 },
  socketPath: '/var/run/docker.sock',
  created: '2026-11-23T10:00:00Z',
}

test('the daemon is a unit that comes back, and leaves the router alone', () => {
  const text = systemdUnits(installation, program)['rack-demo.service']!
  assert.match(
    text,
    /^ExecStart="\/opt\/rack\/node" "\/opt\/rack\/bin\/start\.mjs" "daemon" "--dir" "\/var\/lib\/rack\/demo"$/m,
  )
  for (const line of [
    'Restart=always',
    'KillMode=process',
    'Wants=docker.service',
    'WantedBy=multi-user.target',
  ]) {
    assert.ok(text.split('\n').includes(line), line)
  }
})

test('the router is a unit with the files by which the daemon knows it', () => {
  const text = systemdUnits(installation, program)['rack-demo-router.service']!
  assert.match(text, /^ConditionPathExists=\/var\/lib\/rack\/demo\/router\/haproxy\.cfg$/m)
  assert.match(
    text,
    /"-p" "\/var\/lib\/rack\/demo\/router\/haproxy\.pid" "-f" "\/var\/lib\/rack\/demo\/router\/haproxy\.cfg"$/m,
  )
})

test('names lead to copies before Docker starts them', () => {
  const lines = systemdUnits(installation, program)['rack-demo-names.service']!.split('\n')
  for (const line of [
    'Before=docker.service',
    'Type=oneshot',
    'ConditionPathExists=/var/lib/rack/demo/names.nft',
    'ExecStart=/usr/sbin/nft --file "/var/lib/rack/demo/names.nft"',
    'ExecStart=-/usr/sbin/ip route replace unreachable 198.18.0.0/20',
  ]) {
    assert.ok(lines.includes(line), line)
  }
})

test('another engine than the usual one is not asked for', () => {
  const units = systemdUnits({ ...installation, socketPath: '/run/other.sock' }, program)
  assert.doesNotMatch(units['rack-demo.service']!, /Wants=/)
})

test('what systemd, a shell and cron would read in a path is kept from them', async () => {
  const odd = { ...installation, directory: "/srv/50% of $x's" }
  assert.match(systemdUnits(odd, program)['rack-demo.service']!, /"\/srv\/50%% of \$\$x's"$/m)
  assert.equal(
    (await crontabLine(odd, program)).split(' start ')[1],
    String.raw`--dir '/srv/50\% of $x'\''s'`,
  )
  assert.match(
    await crontabLine(installation, program),
    /^@reboot PATH=\S*\/usr\/sbin:\S* \/opt\/rack\/bin\/rack start --dir \/var\/lib\/rack\/demo$/,
  )
})

const execute = promisify(execFile)

/** What systemd's own check says of the units, a line each; null where the machine has none. */
async function verified(installed: Installation): Promise<string[] | null> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'units-'))
  const units = systemdUnits(installed, { ...program, node: process.execPath })
  const paths = Object.keys(units).map((name) => join(folder.path, name))
  for (const [name, text] of Object.entries(units)) await writeFile(join(folder.path, name), text)
  try {
    const { stderr } = await execute('systemd-analyze', ['verify', '--man=no', ...paths])
    return linesOf(stderr)
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string }
    return code === 'ENOENT' ? null : linesOf(stderr)
  }
}

/** Of the units themselves; that a program is not installed on this machine says nothing of them. */
function linesOf(text: string): string[] {
  const lines = text.split('\n').filter((line) => line.includes('rack-'))
  return lines.filter((line) => !/Command \S+ is not executable|docker\.service/.test(line))
}

for (const directory of [installation.directory, "/srv/50% of $x's"]) {
  test(`systemd finds nothing wrong with the units of a rack in ${directory}`, async (t) => {
    const found = await verified({ ...installation, directory })
    if (found === null) return t.skip('NOT VERIFIED: no systemd-analyze here (apt-get install systemd)')
    assert.deepEqual(found, [])
  })
}
