import assert from 'node:assert/strict'
import { test } from 'node:test'
import { typeCommand } from '../../../test/support/type-command.ts'

for (const [args, code, expected] of [
  [
    ['--cpu', '1024'],
    1,
    /^error: --certificate, .* are of a rack whose daemon runs in its AWS account\n→ .*--rack NAME/,
  ],
  [['rack.tar.gz', '--api-allow', '10.0.0.0/8'], 1, /^error: --certificate, .*\n→ Name it, without a file/],
  [
    ['--renew-certificate'],
    1,
    /^error: --renew-certificate is of a rack whose daemon runs in its AWS account/,
  ],
  [['--renew-certificate', '--memory', '4g'], 2, /^error: --renew-certificate is given alone/],
  [['--renew-certificate', '--plan'], 2, /^error: --renew-certificate is given alone/],
] as const)
  test(`update ${args.join(' ')}: what is of a rack in an account is refused elsewhere`, async () => {
    const said = await typeCommand(['update', ...args])
    assert.equal(said.code, code, said.stderr)
    assert.match(said.stderr, expected)
  })
